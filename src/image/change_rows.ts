/**
 * A change of colour, painted into a picture row by row: what is all foreground gets it as it is, soft edges in proportion.
 *
 * Where the mask is between 0 and 1 a pixel is a mixture, C = a F + (1 - a) B, and what is due to it is the foreground's
 * change in proportion, a (T(F) - F). T(C) - C is another thing wherever T is more than an offset: a bright background
 * would be brightened with a dark foreground, and that is a halo. What the network answers there does not help either: it
 * is trained to answer the finished mixture, whose change is small already and would be taken in proportion once more. So
 * F is estimated, as in Forte & Pitié, "Approximate Fast Foreground Colour Estimation" (ICIP 2021): with F' and B' the
 * colours of foreground and background from the surest places near,
 *
 *     F = F' + a (C - a F' - (1 - a) B').
 */
import type { ColourMap } from "./colour_transform.js";
import { extend } from "./extend.js";
import { type FloatImage, newFloatImage, readRgbRows } from "./float.js";
import type { Image } from "./image.js";
import { boundingBox, type Mask } from "./mask.js";
import { cropImage } from "./pad.js";
import type { Size } from "./resize.js";

/**
 * Writes row y, columns x0 to x1 (exclusive), as interleaved RGB to the start of `out`. With the mask's share of the way
 * from the picture's colours to these it is harmonized; on soft edges they may lie outside [0, 1].
 */
export type RgbRows = (y: number, x0: number, x1: number, out: Float32Array) => void;

export const isSoft = (m: number): boolean => m > 0 && m < 1;
export const clamp = (value: number): number => (value <= 0 ? 0 : value >= 1 ? 1 : value);

/** The whole picture's colours, clamped. */
export function rowsOf({ width, data }: FloatImage<3>): RgbRows {
  return (y, x0, x1, out) => {
    for (let i = 0, s = (y * width + x0) * 3, end = 3 * (x1 - x0); i < end; i++, s++) out[i] = clamp(data[s] as number);
  };
}

/** The mask's box and a little round it: elsewhere nothing is changed. */
export interface Part {
  /** The picture that this is a part of, and where in it it begins. */
  readonly whole: Size;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Pixels round the mask's box in which colours of the background are looked for. */
const SURROUNDINGS = 16;

export function partOf(mask: Mask): Part {
  const box = boundingBox(mask) ?? { x0: 0, y0: 0, x1: mask.width, y1: mask.height };
  const [x, y] = [Math.max(0, box.x0 - SURROUNDINGS), Math.max(0, box.y0 - SURROUNDINGS)];
  const width = Math.min(mask.width, box.x1 + SURROUNDINGS) - x;
  const height = Math.min(mask.height, box.y1 + SURROUNDINGS) - y;
  return { whole: { width: mask.width, height: mask.height }, x, y, width, height };
}

export const cropTo = <C extends number>(image: FloatImage<C>, { width, height, x, y }: Part): FloatImage<C> =>
  cropImage(image, width, height, x, y);

/** A pixel of the full picture on the grid of a part of a reduced one: between which two of its pixels, and how far. */
export function placeOn(from: number, size: number, scale: number): (i: number) => number {
  return (i) => Math.min(Math.max((i + 0.5) * scale - 0.5 - from, 0), size - 1);
}

// On soft-edged composites whose right result is known, from hair to edges of 30 pixels, at a quarter of the size: root mean
// squared error of the edge with exponent 1 up to 12, 8 up to 4.5, 32 up to 2.1 (of 255); beyond, a thin object is nothing.
const SURENESS = 32;

/** How surely a pixel is all foreground: a high power of its share, next to the picture's highest. */
export function sureOf(share: Float32Array): Float32Array {
  const most = share.reduce((a, b) => Math.max(a, b), 0);
  return share.map((m) => (m > 0 ? (m / most) ** SURENESS : 0));
}

/** Colours of foreground (0..2) and background (3..5), carried to everywhere. */
export interface Sides {
  readonly part: Part;
  readonly colours: FloatImage<6>;
}

/**
 * @param seen colours with the foreground in them @param picture with the background; both of the mask's size
 */
export function sidesOf(seen: FloatImage<3>, picture: FloatImage<3>, mask: Mask): Sides {
  const part = partOf(mask);
  const { width, height } = part;
  const shares = cropTo(mask, part).data;
  const [inner, outer] = [cropTo(seen, part), cropTo(picture, part)];
  const outside = extend(outer, sureOf(shares.map((m) => 1 - m)));
  // Where nothing is all foreground, what is most of it is taken, less its share of the background.
  const unmixed = newFloatImage(width, height, 3);
  for (let i = 0; i < unmixed.data.length; i++) {
    const m = shares[Math.floor(i / 3)] as number;
    const other = (1 - m) * (outside.data[i] as number);
    if (m > 0) unmixed.data[i] = clamp(((inner.data[i] as number) - other) / m);
  }
  const inside = extend(unmixed, sureOf(shares));
  const colours = newFloatImage(width, height, 6);
  for (let p = 0; p < shares.length; p++) {
    colours.data.set(inside.data.subarray(3 * p, 3 * p + 3), 6 * p);
    colours.data.set(outside.data.subarray(3 * p, 3 * p + 3), 6 * p + 3);
  }
  return { part, colours };
}

/** A change of colour that may depend on the place: told the row first, then asked pixel by pixel. */
export interface RowMap {
  readonly start: (y: number, x0: number, x1: number) => void;
  /** `colour` and `out` are RGB in [0, 1], the result not clamped. */
  readonly at: (x: number, colour: Float64Array, out: Float64Array) => void;
}

/** The same everywhere. */
export const everywhere = (map: ColourMap): RowMap => ({ start: () => {}, at: (_, colour, out) => map(colour, out) });

/**
 * @param mask the foreground, at the picture's size
 * @param sides what soft edges are unmixed by; null where the mask has none
 * @param solid gives the colours where the mask is 0 or 1; null: `map` does
 */
export function changeRows(
  full: Image,
  mask: Mask,
  sides: Sides | null,
  map: RowMap,
  solid: RgbRows | null = null,
): RgbRows {
  const row = new Float32Array(full.width * 3);
  const colour = new Float64Array(3);
  const changed = new Float64Array(3);
  const unmix = sides && unmixer(full, sides);
  return (y, x0, x1, out) => {
    if (solid) solid(y, x0, x1, out);
    map.start(y, x0, x1);
    readRgbRows(full, y, y + 1, row);
    for (let x = x0, p = 0; x < x1; x++, p += 3) {
      const share = mask.data[y * full.width + x] as number;
      const soft = isSoft(share);
      if (solid && !soft) continue;
      for (let i = 0; i < 3; i++) colour[i] = row[3 * x + i] as number;
      if (soft && unmix) unmix(x, y, share, colour);
      map.at(x, colour, changed);
      for (let i = 0; i < 3; i++) {
        const before = colour[i] as number;
        out[p + i] = (row[3 * x + i] as number) + (clamp(changed[i] as number) - before);
      }
    }
  };
}

/** Turns a mixture's colour into an estimate of its foreground's, in place. */
function unmixer(full: Size, { part, colours }: Sides): (x: number, y: number, share: number, c: Float64Array) => void {
  const { whole, width, height } = part;
  const column = placeOn(part.x, width, whole.width / full.width);
  const line = placeOn(part.y, height, whole.height / full.height);
  return (x, y, share, colour) => {
    const [u, v] = [column(x), line(y)];
    const [left, top] = [Math.floor(u), Math.floor(v)];
    const [right, bottom] = [Math.min(left + 1, width - 1), Math.min(top + 1, height - 1)];
    const side = (channel: number): number => {
      const across = (row: number): number => {
        const from = colours.data[(row * width + left) * 6 + channel] as number;
        return from + (u - left) * ((colours.data[(row * width + right) * 6 + channel] as number) - from);
      };
      const above = across(top);
      return above + (v - top) * (across(bottom) - above);
    };
    for (let i = 0; i < 3; i++) {
      const inside = side(i);
      const mixture = share * inside + (1 - share) * side(3 + i);
      colour[i] = clamp(inside + share * ((colour[i] as number) - mixture));
    }
  };
}
