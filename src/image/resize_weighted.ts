/** Resizing a picture some of whose pixels do not count: what is hidden must not bleed into what is seen. */
import { extend } from "./extend.js";
import { type FloatImage, newFloatImage, readRgbRows } from "./float.js";
import { hasAlpha, type Image, maxSample } from "./image.js";
import type { Box } from "./mask.js";
import { resizeRows, resizeToRgb } from "./resize.js";

/** How much the pixel at an index (row by row) of the whole picture counts, 0 to 1. */
export type WeightAt = (pixel: number) => number;

/** By alpha: colours under transparency are whatever a program left there. Null for a picture without. */
export function alphaWeight(image: Image): WeightAt | null {
  if (!hasAlpha(image)) return null;
  const { data, channels } = image;
  const scale = 1 / maxSample(image);
  return (pixel) => scale * (data[pixel * channels + channels - 1] as number);
}

/** RGB in [0, 1] of the colours that are seen; where nothing is, those of the surroundings. */
export function resizeVisible(image: Image, width: number, height: number): FloatImage<3> {
  const weightAt = alphaWeight(image);
  return weightAt ? resizeWeighted(image, weightAt, width, height).image : resizeToRgb(image, width, height);
}

/**
 * The weighted mean of the colours under each new pixel, RGB in [0, 1]; where nothing counts, from the surroundings.
 * @param box the part that is taken. Default: all
 * @returns also how much lies under each new pixel, 0 to 1
 */
export function resizeWeighted(
  image: Image,
  weightAt: WeightAt,
  width: number,
  height: number,
  { x0, y0, x1, y1 }: Box = { x0: 0, y0: 0, x1: image.width, y1: image.height },
): { readonly image: FloatImage<3>; readonly weight: Float32Array } {
  const colours = new Float32Array(image.width * 3);
  const row = new Float32Array((x1 - x0) * 4);
  const readRow = (y: number): Float32Array => {
    readRgbRows(image, y0 + y, y0 + y + 1, colours);
    for (let x = x0, p = 0, pixel = (y0 + y) * image.width + x0; x < x1; x++, p += 4, pixel++) {
      const weight = weightAt(pixel);
      for (let c = 0; c < 3; c++) row[p + c] = weight * (colours[3 * x + c] as number);
      row[p + 3] = weight;
    }
    return row;
  };
  const sums = resizeRows({ width: x1 - x0, height: y1 - y0 }, 4, readRow, width, height).data;
  const out = newFloatImage(width, height, 3);
  const weight = new Float32Array(width * height);
  for (let p = 0; p < weight.length; p++) {
    const sum = sums[4 * p + 3] as number;
    if (!(sum > NOTHING)) continue;
    weight[p] = sum;
    for (let c = 0; c < 3; c++) out.data[3 * p + c] = (sums[4 * p + c] as number) / sum;
  }
  return { image: extend(out, weight.map(Math.ceil)), weight };
}

/** Less than one step of a 16-bit alpha: the rest of a sum of float32. */
const NOTHING = 1e-6;
