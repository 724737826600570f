/**
 * A U-Net of n levels halves its input n times, so sides must be multiples of 2^n. Images are extended by reflection
 * without repeating the edge (PyTorch's and numpy's `reflect`), which leaves no seam; where the image is smaller than the
 * margin the reflection bounces to and fro, as numpy's does.
 */
import { UsageError } from "../errors.js";
import { type FloatImage, newFloatImage } from "./float.js";

/** The pixel of a row of n that stands at position i when the row is reflected for ever. n = 1 repeats its pixel. */
export function reflectIndex(i: number, n: number): number {
  if (n === 1) return 0;
  const period = 2 * (n - 1);
  const at = ((i % period) + period) % period;
  return at < n ? at : period - at;
}

/** The smallest multiple of `multiple` that is at least `size`. */
export const roundUpTo = (size: number, multiple: number): number => Math.ceil(size / multiple) * multiple;

/** Extends an image to the right and downwards until both sides are multiples of `multiple`. `cropImage` undoes it. */
export function reflectPad<C extends number>(image: FloatImage<C>, multiple: number): FloatImage<C> {
  if (!Number.isInteger(multiple) || multiple < 1)
    throw new UsageError(`reflectPad: expected a whole number above 0, got ${multiple}`);
  const { width, height, channels, data } = image;
  const outWidth = roundUpTo(width, multiple);
  const outHeight = roundUpTo(height, multiple);
  if (outWidth === width && outHeight === height) return image;
  const out = newFloatImage(outWidth, outHeight, channels);
  const stride = outWidth * channels;
  for (let y = 0; y < height; y++) {
    const row = y * width * channels;
    out.data.set(data.subarray(row, row + width * channels), y * stride);
    for (let x = width; x < outWidth; x++) {
      const from = row + reflectIndex(x, width) * channels;
      for (let c = 0; c < channels; c++) out.data[y * stride + x * channels + c] = data[from + c] as number;
    }
  }
  for (let y = height; y < outHeight; y++) {
    const from = reflectIndex(y, height) * stride;
    out.data.copyWithin(y * stride, from, from + stride);
  }
  return out;
}

/** The `width` x `height` pixels from x, y on; by default the top left ones. */
export function cropImage<C extends number>(
  image: FloatImage<C>,
  width: number,
  height: number,
  x = 0,
  y = 0,
): FloatImage<C> {
  if (image.width === width && image.height === height) return image;
  const { channels } = image;
  const out = newFloatImage(width, height, channels);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * image.width + x) * channels;
    out.data.set(image.data.subarray(from, from + width * channels), row * width * channels);
  }
  return out;
}
