/**
 * Puts the harmonized foreground back into the original. Where the mask is 0 the original's samples are copied as the
 * integers they are, so the background is the same to the last bit at 8 and at 16 bits.
 */
import { ShapeError, UsageError } from "../errors.js";
import { type RgbRows, rowsOf } from "./change_rows.js";
import { LUMINANCE } from "./colour_transform.js";
import type { FloatImage } from "./float.js";
import { colourChannels, type Image, maxSample } from "./image.js";
import { boundingBox, type Mask } from "./mask.js";

export interface PasteOptions {
  /** 0 leaves the original, 1 takes the harmonized colours whole. Default 1. */
  readonly strength?: number;
}

/**
 * original + strength * mask * (harmonized - original), rounded to the original's depth. A gray original stays gray: it
 * takes the luminance of the harmonized colours. Metadata and alpha are kept.
 * @param harmonized RGB at the original's size: whole, clamped to [0, 1] here, or row by row, clamped as the mixture is.
 * @throws UsageError when strength is outside 0..1; ShapeError when sizes differ.
 */
export function paste(
  original: Image,
  harmonized: FloatImage<3> | RgbRows,
  mask: Mask,
  options: PasteOptions = {},
): Image {
  const { strength = 1 } = options;
  if (!(strength >= 0 && strength <= 1)) throw new UsageError(`strength is a number from 0 to 1, got ${strength}`);
  const { width, height, channels } = original;
  const sizes = typeof harmonized === "function" ? [mask] : [mask, harmonized];
  for (const other of sizes)
    if (other.width !== width || other.height !== height)
      throw new ShapeError(
        `paste: the image is ${width}x${height}, its mask or harmonized colours ${other.width}x${other.height}`,
      );

  const data = original.data.slice();
  const box = boundingBox(mask);
  if (!box || strength === 0) return { ...original, data };
  const readRow = typeof harmonized === "function" ? harmonized : rowsOf(harmonized);
  const row = new Float32Array((box.x1 - box.x0) * 3);
  const colour = colourChannels(original);
  const colours = new Float64Array(3);
  const max = maxSample(original);
  for (let y = box.y0; y < box.y1; y++) {
    readRow(y, box.x0, box.x1, row);
    for (let x = box.x0, s = 0; x < box.x1; x++, s += 3) {
      const weight = strength * (mask.data[y * width + x] as number);
      if (weight === 0) continue;
      colours.set(row.subarray(s, s + 3));
      blendSample(data, (y * width + x) * channels, colour, colours, weight, max);
    }
  }
  return { ...original, data };
}

/**
 * Takes a pixel's samples, from index p on, by `weight` of the way to a colour in [0, 1].
 * @param channels 1: its luminance; 3
 */
export function blendSample(
  data: Image["data"],
  p: number,
  channels: 1 | 3,
  colour: Float64Array,
  weight: number,
  max: number,
): void {
  if (channels === 3) {
    for (let c = 0; c < 3; c++) data[p + c] = blend(data[p + c] as number, colour[c] as number, weight, max);
    return;
  }
  const luminance = LUMINANCE.reduce((sum, share, c) => sum + share * (colour[c] as number), 0);
  data[p] = blend(data[p] as number, luminance, weight, max);
}

function blend(from: number, to: number, weight: number, max: number): number {
  // A NaN would be stored as black without a word.
  if (Number.isNaN(to)) throw new RangeError("paste: the harmonized colours contain NaN");
  return Math.round(Math.min(Math.max(from + weight * (to * max - from), 0), max));
}
