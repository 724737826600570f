/**
 * Carries the network's change of colour to the full picture, so that detail stays: not the small result is enlarged, but
 * the transforms that made it (`colour_field.ts`).
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

import { ShapeError } from "../errors.js";
import { type ColourField, fitColourField, type GuidedOptions, TERMS } from "./colour_field.js";
import { extend } from "./extend.js";
import { type FloatImage, newFloatImage, readRgbRows } from "./float.js";
import type { Image } from "./image.js";
import { boundingBox, type Mask } from "./mask.js";
import { cropImage } from "./pad.js";
import { resize, type Size, workingSize } from "./resize.js";

/**
 * Writes row y, columns x0 to x1 (exclusive), as interleaved RGB to the start of `out`. With the mask's share of the way
 * from the picture's colours to these it is harmonized; on soft edges they may lie outside [0, 1].
 */
export type RgbRows = (y: number, x0: number, x1: number, out: Float32Array) => void;

/** A run of the network, all of one size: the picture's, or a reduced one of the same aspect. */
export interface Answer {
  /** What the network saw: colours in [0, 1], and the mask of the foreground. */
  readonly input: FloatImage<3>;
  readonly mask: Mask;
  /** Its answer, not clamped. */
  readonly output: FloatImage<3>;
  /** The picture itself, where the network was shown another background. Default: `input`. */
  readonly picture?: FloatImage<3>;
}

/**
 * The result, row by row on demand.
 * @param full the picture at full size @param mask its foreground, at that size
 */
export function guidedUpsample(full: Image, mask: Mask, answer: Answer, options: GuidedOptions = {}): RgbRows {
  const { width, height } = answer.input;
  const isFull = width === full.width && height === full.height;
  if (!isFull) return applyChange(full, mask, changeOf(answer, options), null);
  if (!mask.data.some(isSoft)) return rowsOf(answer.output);
  const { width: w, height: h } = workingSize(width, height, SOFT_EDGE_SIZE);
  const small = <C extends number>(image: FloatImage<C>): FloatImage<C> => resize(image, w, h);
  const { input, output, picture = input } = answer;
  const reduced = { input: small(input), output: small(output), mask: small(answer.mask), picture: small(picture) };
  return applyChange(full, mask, changeOf(reduced, options), rowsOf(answer.output));
}

/** Soft edges alone take their transforms from at most this many pixels, longest side. */
const SOFT_EDGE_SIZE = 512;

const isSoft = (m: number): boolean => m > 0 && m < 1;
const clamp = (value: number): number => (value <= 0 ? 0 : value >= 1 ? 1 : value);

/** The whole picture's colours, clamped. */
export function rowsOf({ width, data }: FloatImage<3>): RgbRows {
  return (y, x0, x1, out) => {
    for (let i = 0, s = (y * width + x0) * 3, end = 3 * (x1 - x0); i < end; i++, s++) out[i] = clamp(data[s] as number);
  };
}

interface Change {
  readonly field: ColourField;
  /** Colours of foreground (0..2) and background (3..5), carried to everywhere. */
  readonly sides: FloatImage<6>;
  /** The picture of which both are a part, and where that begins. */
  readonly whole: Size;
  readonly x: number;
  readonly y: number;
}

/** Pixels round the mask's box in which colours of the background are looked for. */
const SURROUNDINGS = 16;

/** Computed in the mask's box and a little round it: elsewhere nothing is changed. */
function changeOf({ input, output, mask, picture = input }: Answer, options: GuidedOptions): Change {
  checkSizes(input, output, mask, picture);
  const box = boundingBox(mask) ?? { x0: 0, y0: 0, x1: mask.width, y1: mask.height };
  const [x, y] = [Math.max(0, box.x0 - SURROUNDINGS), Math.max(0, box.y0 - SURROUNDINGS)];
  const width = Math.min(mask.width, box.x1 + SURROUNDINGS) - x;
  const height = Math.min(mask.height, box.y1 + SURROUNDINGS) - y;
  const part = <C extends number>(image: FloatImage<C>): FloatImage<C> => cropImage(image, width, height, x, y);

  const shares = part(mask).data;
  const foreground = sureOf(shares);
  const seen = part(input);
  const field = fitColourField(seen, part(output), { width, height, channels: 1, data: foreground }, options);
  const outside = extend(part(picture), sureOf(shares.map((m) => 1 - m)));
  // Where nothing is all foreground, what is most of it is taken, less its share of the background.
  const unmixed = newFloatImage(width, height, 3);
  for (let i = 0; i < unmixed.data.length; i++) {
    const m = shares[Math.floor(i / 3)] as number;
    const other = (1 - m) * (outside.data[i] as number);
    if (m > 0) unmixed.data[i] = clamp(((seen.data[i] as number) - other) / m);
  }
  const inside = extend(unmixed, foreground);
  const sides = newFloatImage(width, height, 6);
  for (let p = 0; p < shares.length; p++) {
    sides.data.set(inside.data.subarray(3 * p, 3 * p + 3), 6 * p);
    sides.data.set(outside.data.subarray(3 * p, 3 * p + 3), 6 * p + 3);
  }
  return { field, sides, whole: mask, x, y };
}

function checkSizes({ width, height }: Size, ...others: readonly Size[]): void {
  const odd = others.find((other) => other.width !== width || other.height !== height);
  if (odd) {
    const sizes = `input is ${width}x${height}, mask, output or picture ${odd.width}x${odd.height}`;
    throw new ShapeError(`guided upsampling: ${sizes}`);
  }
}

// On soft-edged composites whose right result is known, from hair to edges of 30 pixels, at a quarter of the size: root mean
// squared error of the edge with exponent 1 up to 12, 8 up to 4.5, 32 up to 2.1 (of 255); beyond, a thin object is nothing.
const SURENESS = 32;

/** How surely a pixel is all foreground: a high power of its share, next to the picture's highest. */
function sureOf(share: Float32Array): Float32Array {
  const most = share.reduce((a, b) => Math.max(a, b), 0);
  return share.map((m) => (m > 0 ? (m / most) ** SURENESS : 0));
}

/**
 * Interpolates transforms linearly and applies them to the picture, a row at a time.
 * @param solid gives the colours where the mask is 0 or 1; null: the transforms do
 */
function applyChange(
  full: Image,
  mask: Mask,
  { field, sides, whole, x: left0, y: top0 }: Change,
  solid: RgbRows | null,
): RgbRows {
  const scaleX = whole.width / full.width;
  const scaleY = whole.height / full.height;
  const stride = field.width * TERMS;
  const blended = new Float32Array(stride);
  const row = new Float32Array(full.width * 3);
  const foreground = new Float64Array(3);
  const place = (i: number, scale: number, from: number, size: number): number =>
    Math.min(Math.max((i + 0.5) * scale - 0.5 - from, 0), size - 1);

  return (y, x0, x1, out) => {
    if (solid) solid(y, x0, x1, out);
    const v = place(y, scaleY, top0, field.height);
    const top = Math.floor(v);
    const bottom = Math.min(top + 1, field.height - 1);
    const down = v - top;
    const firstTerm = Math.floor(place(x0, scaleX, left0, field.width)) * TERMS;
    const lastTerm = Math.min(stride, (Math.floor(place(x1 - 1, scaleX, left0, field.width)) + 2) * TERMS);
    for (let i = firstTerm; i < lastTerm; i++) {
      const a = field.data[top * stride + i] as number;
      blended[i] = a + down * ((field.data[bottom * stride + i] as number) - a);
    }
    readRgbRows(full, y, y + 1, row);
    for (let x = x0, p = 0; x < x1; x++, p += 3) {
      const share = mask.data[y * full.width + x] as number;
      const soft = isSoft(share);
      if (solid && !soft) continue;
      const u = place(x, scaleX, left0, field.width);
      const left = Math.floor(u);
      const across = u - left;
      const right = Math.min(left + 1, field.width - 1);
      for (let i = 0; i < 3; i++) {
        const colour = row[3 * x + i] as number;
        if (!soft) {
          foreground[i] = colour;
          continue;
        }
        const side = (channel: number): number => {
          const at = (line: number): number => {
            const from = sides.data[(line * field.width + left) * 6 + channel] as number;
            return from + across * ((sides.data[(line * field.width + right) * 6 + channel] as number) - from);
          };
          return at(top) + down * (at(bottom) - at(top));
        };
        const inside = side(i);
        const mixture = share * inside + (1 - share) * side(3 + i);
        foreground[i] = clamp(inside + share * (colour - mixture));
      }
      const a = left * TERMS;
      const b = right * TERMS;
      const r = foreground[0] as number;
      const g = foreground[1] as number;
      const bl = foreground[2] as number;
      for (let i = 0; i < 3; i++) {
        const k = 3 * i;
        const onLeft =
          (blended[a + k] as number) * r +
          (blended[a + k + 1] as number) * g +
          (blended[a + k + 2] as number) * bl +
          (blended[a + 9 + i] as number);
        const onRight =
          (blended[b + k] as number) * r +
          (blended[b + k + 1] as number) * g +
          (blended[b + k + 2] as number) * bl +
          (blended[b + 9 + i] as number);
        const before = foreground[i] as number;
        const change = clamp(before + onLeft + across * (onRight - onLeft)) - before;
        out[p + i] = (row[3 * x + i] as number) + change;
      }
    }
  };
}
