/**
 * One change of colour for a whole object: three rows of four numbers, out_i = m_i0 r + m_i1 g + m_i2 b + m_i3, on the
 * picture's own encoded samples in [0, 1] (8-bit values divided by 255), in the picture's own colour space.
 */
import { UsageError } from "../errors.js";

export type TransformRow = readonly [r: number, g: number, b: number, offset: number];
export type ColourTransform = readonly [TransformRow, TransformRow, TransformRow];

/** What `ColourTransform`s act on, for files and reports. */
export const TRANSFORM_SPACE = "the picture's encoded RGB, 0 to 1";

export const IDENTITY: ColourTransform = [
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 1, 0],
];

/** How much of a gray each colour is (Rec. 601), as everywhere where pictures of one channel meet colours. */
export const LUMINANCE = [0.299, 0.587, 0.114] as const;

/** Turns colours into colours; `out` may be `colour`. Neither is clamped. */
export type ColourMap = (colour: Float64Array, out: Float64Array) => void;

const mapRows = (
  transform: ColourTransform,
  change: (value: number, i: number, j: number) => number,
): ColourTransform =>
  transform.map((row, i) => row.map((value, j) => change(value, i, j))) as unknown as ColourTransform;

/** From the layout of fits: D, row by row, then c, of change = D x + c. */
export const fromChange = (terms: ArrayLike<number>): ColourTransform =>
  mapRows(IDENTITY, (one, i, j) => one + ((j < 3 ? terms[3 * i + j] : terms[9 + i]) as number));

/** The share of a transform's change: 0 none, 1 all of it. */
export const scaled = (transform: ColourTransform, share: number): ColourTransform =>
  mapRows(transform, (value, i, j) => {
    const one = i === j ? 1 : 0;
    return one + share * (value - one);
  });

/** What a picture of one channel gets of it: the luminance of the changed colours. */
export function grayOf(transform: ColourTransform): ColourTransform {
  const row = [0, 1, 2, 3].map((j) => LUMINANCE.reduce((sum, weight, i) => sum + weight * at(transform, i, j), 0));
  return [row, row, row] as unknown as ColourTransform;
}

/** @returns the number in row i, column j */
export const at = (transform: ColourTransform, i: number, j: number): number =>
  (transform[i] as TransformRow)[j] as number;

export function mapOf(transform: ColourTransform): ColourMap {
  const [[a0, a1, a2, a3], [b0, b1, b2, b3], [c0, c1, c2, c3]] = transform;
  return (colour, out) => {
    const [r, g, b] = [colour[0] as number, colour[1] as number, colour[2] as number];
    out[0] = a0 * r + a1 * g + a2 * b + a3;
    out[1] = b0 * r + b1 * g + b2 * b + b3;
    out[2] = c0 * r + c1 * g + c2 * b + c3;
  };
}

/** @throws UsageError unless it is three rows of four finite numbers */
export function checkTransform(transform: ColourTransform, name = "transform"): ColourTransform {
  const rows: unknown = transform;
  const good =
    Array.isArray(rows) &&
    rows.length === 3 &&
    rows.every((row: unknown) => Array.isArray(row) && row.length === 4 && row.every(Number.isFinite));
  if (!good) throw new UsageError(`${name}: expected three rows of four finite numbers, got ${JSON.stringify(rows)}`);
  return transform;
}
