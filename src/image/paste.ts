/**
 * Puts the harmonized foreground back into the original. Where the mask is 0 the original's samples are copied as the
 * integers they are, so the background is the same to the last bit at 8 and at 16 bits.
 */
import { ShapeError, UsageError } from "../errors.js";
import type { FloatImage } from "./float.js";
import type { RgbRows } from "./guided_upsample.js";
import { colourChannels, dropAlpha, type Image, maxSample } from "./image.js";
import { boundingBox, type Mask } from "./mask.js";

export interface PasteOptions {
  /** 0 leaves the original, 1 takes the harmonized colours whole. Default 1. */
  readonly strength?: number;
  /** Whether the original's alpha channel stays ("keep", default) or the result is opaque ("drop"). */
  readonly alpha?: "keep" | "drop";
}

/**
 * original + strength * mask * (harmonized - original), rounded to the original's depth. A gray original stays gray: it
 * takes the luminance of the harmonized colours. Metadata is kept.
 * @param harmonized RGB in [0, 1] (clamped here) at the original's size, whole or row by row.
 * @throws UsageError when strength is outside 0..1; ShapeError when sizes differ.
 */
export function paste(
  original: Image,
  harmonized: FloatImage<3> | RgbRows,
  mask: Mask,
  options: PasteOptions = {},
): Image {
  const { strength = 1, alpha = "keep" } = options;
  if (!(strength >= 0 && strength <= 1)) throw new UsageError(`strength is a number from 0 to 1, got ${strength}`);
  const base = alpha === "drop" ? dropAlpha(original) : original;
  const { width, height, channels } = base;
  const sizes = typeof harmonized === "function" ? [mask] : [mask, harmonized];
  for (const other of sizes)
    if (other.width !== width || other.height !== height)
      throw new ShapeError(
        `paste: the image is ${width}x${height}, its mask or harmonized colours ${other.width}x${other.height}`,
      );

  const data = base.data.slice();
  const box = boundingBox(mask);
  if (!box || strength === 0) return { ...base, data };
  const readRow = typeof harmonized === "function" ? harmonized : rowsOf(harmonized);
  const row = new Float32Array((box.x1 - box.x0) * 3);
  const colour = colourChannels(base);
  const max = maxSample(base);
  for (let y = box.y0; y < box.y1; y++) {
    readRow(y, box.x0, box.x1, row);
    for (let x = box.x0, s = 0; x < box.x1; x++, s += 3) {
      const weight = strength * (mask.data[y * width + x] as number);
      if (weight === 0) continue;
      const p = (y * width + x) * channels;
      if (colour === 1) {
        const luminance = 0.299 * (row[s] as number) + 0.587 * (row[s + 1] as number) + 0.114 * (row[s + 2] as number);
        data[p] = blend(data[p] as number, luminance, weight, max);
      } else {
        for (let c = 0; c < 3; c++) data[p + c] = blend(data[p + c] as number, row[s + c] as number, weight, max);
      }
    }
  }
  return { ...base, data };
}

function blend(from: number, to: number, weight: number, max: number): number {
  // A NaN would be stored as black without a word.
  if (Number.isNaN(to)) throw new RangeError("paste: the harmonized colours contain NaN");
  const target = Math.min(Math.max(to, 0), 1) * max;
  return Math.round(from + weight * (target - from));
}

function rowsOf({ width, data }: FloatImage<3>): RgbRows {
  return (y, x0, x1, out) => out.set(data.subarray((y * width + x0) * 3, (y * width + x1) * 3));
}
