/**
 * How far two pictures are apart, in float64 on 8-bit values (0..255), as the field's papers and scikit-image compute it.
 * Differences are taken of numbers, never of unsigned bytes: those wrap, and a published table rests on that mistake.
 */
import { ShapeError } from "../errors.js";
import type { Image } from "./image.js";
import type { Mask } from "./mask.js";

const PEAK = 255;

/** Mean squared error over all samples. */
export function mse(a: Image, b: Image): number {
  checkPair(a, b);
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += ((a.data[i] as number) - (b.data[i] as number)) ** 2;
  return sum / a.data.length;
}

/** Mean squared error over the foreground: sum(m d^2) / (channels * sum(m)). NaN where the mask is empty. */
export function foregroundMse(a: Image, b: Image, mask: Mask): number {
  checkPair(a, b);
  if (mask.width !== a.width || mask.height !== a.height)
    throw new ShapeError(`metrics: the images are ${a.width}x${a.height}, the mask ${mask.width}x${mask.height}`);
  let sum = 0;
  let weight = 0;
  for (let i = 0, s = 0; i < mask.data.length; i++) {
    const m = mask.data[i] as number;
    weight += m;
    for (let c = 0; c < a.channels; c++, s++) sum += m * ((a.data[s] as number) - (b.data[s] as number)) ** 2;
  }
  return sum / (weight * a.channels);
}

/** Peak signal-to-noise ratio in decibels from a mean squared error; Infinity for equal pictures. */
export const psnrOfMse = (error: number, peak = PEAK): number => 10 * Math.log10((peak * peak) / error);

export const psnr = (a: Image, b: Image): number => psnrOfMse(mse(a, b));
export const foregroundPsnr = (a: Image, b: Image, mask: Mask): number => psnrOfMse(foregroundMse(a, b, mask));

const SSIM_WINDOW = 7;
const C1 = (0.01 * PEAK) ** 2;
const C2 = (0.03 * PEAK) ** 2;

/**
 * Structural similarity as scikit-image's `structural_similarity(a, b, channel_axis=-1)` on uint8: a uniform 7x7 window,
 * sample covariance, the mean over all windows that lie inside, then over channels.
 * @throws ShapeError when a side is shorter than the window.
 */
export function ssim(a: Image, b: Image): number {
  checkPair(a, b);
  const { width, height, channels } = a;
  if (width < SSIM_WINDOW || height < SSIM_WINDOW)
    throw new ShapeError(`ssim: needs at least ${SSIM_WINDOW} x ${SSIM_WINDOW} pixels, got ${width} x ${height}`);
  let sum = 0;
  for (let c = 0; c < channels; c++) sum += channelSsim(a, b, c);
  return sum / channels;
}

/** Integers below 2^53: the sliding sums are exact. */
function channelSsim(a: Image, b: Image, channel: number): number {
  const { width, height, channels } = a;
  const count = SSIM_WINDOW ** 2;
  const columns = Array.from({ length: 5 }, () => new Float64Array(width));
  const slide = (y: number, sign: number): void => {
    const [sa, sb, saa, sbb, sab] = columns as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
    for (let x = 0, s = y * width * channels + channel; x < width; x++, s += channels) {
      const u = a.data[s] as number;
      const v = b.data[s] as number;
      sa[x] = (sa[x] as number) + sign * u;
      sb[x] = (sb[x] as number) + sign * v;
      saa[x] = (saa[x] as number) + sign * u * u;
      sbb[x] = (sbb[x] as number) + sign * v * v;
      sab[x] = (sab[x] as number) + sign * u * v;
    }
  };
  const windowSum = (k: number, x: number): number => {
    const column = columns[k] as Float64Array;
    let sum = 0;
    for (let i = 0; i < SSIM_WINDOW; i++) sum += column[x + i] as number;
    return sum;
  };

  let total = 0;
  for (let y = 0; y < height; y++) {
    slide(y, 1);
    if (y >= SSIM_WINDOW) slide(y - SSIM_WINDOW, -1);
    if (y < SSIM_WINDOW - 1) continue;
    for (let x = 0; x + SSIM_WINDOW <= width; x++) {
      const ma = windowSum(0, x) / count;
      const mb = windowSum(1, x) / count;
      const norm = 1 / (count - 1);
      const va = norm * (windowSum(2, x) - count * ma * ma);
      const vb = norm * (windowSum(3, x) - count * mb * mb);
      const cov = norm * (windowSum(4, x) - count * ma * mb);
      total += ((2 * ma * mb + C1) * (2 * cov + C2)) / ((ma * ma + mb * mb + C1) * (va + vb + C2));
    }
  }
  return total / ((width - SSIM_WINDOW + 1) * (height - SSIM_WINDOW + 1));
}

function checkPair(a: Image, b: Image): void {
  if (a.width !== b.width || a.height !== b.height || a.channels !== b.channels || a.depth !== 8 || b.depth !== 8)
    throw new ShapeError(
      `metrics: expected two 8-bit images of one size and form, got ${a.width}x${a.height}x${a.channels} at ${a.depth} bits and ${b.width}x${b.height}x${b.channels} at ${b.depth}`,
    );
}
