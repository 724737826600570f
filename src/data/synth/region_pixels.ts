/** The pixels of a picture that a mask touches, taken out, looked at, and put back. */
import { boxSums } from "../../image/box_filter.js";

/** Half the window over which grain is evened out. */
const SMOOTHING = 3;

/** The pixels that the mask touches, in order: [n, 3]. The statistics of a transfer are theirs. */
export function regionOf(pixels: Uint8Array, mask: Uint8Array): Float32Array {
  let count = 0;
  for (let i = 0; i < mask.length; i++) if (mask[i] !== 0) count++;
  const out = new Float32Array(3 * count);
  for (let i = 0, p = 0; i < mask.length; i++) {
    if (mask[i] === 0) continue;
    for (let c = 0; c < 3; c++) out[p++] = pixels[3 * i + c] as number;
  }
  return out;
}

export const meanOf = (pixels: Float32Array): readonly [number, number, number] => {
  let [r, g, b] = [0, 0, 0];
  for (let p = 0; p < pixels.length; p += 3) {
    r += pixels[p] as number;
    g += pixels[p + 1] as number;
    b += pixels[p + 2] as number;
  }
  const count = Math.max(1, pixels.length / 3);
  return [r / count, g / count, b / count];
};

/** The mean over the region's pixels in a window round each. @param values of the region, [n, 3] */
export function smoothOver(mask: Uint8Array, size: number, values: Float32Array): Float32Array {
  // Red, green, blue and how many, all 0 outside the region.
  const planes = new Float32Array(4 * size * size);
  for (let i = 0, p = 0; i < mask.length; i++) {
    if (mask[i] === 0) continue;
    for (let c = 0; c < 3; c++) planes[4 * i + c] = values[p++] as number;
    planes[4 * i + 3] = 1;
  }
  const out = new Float32Array(values.length);
  const form = { width: size, height: size, channels: 4, radius: SMOOTHING };
  let p = 0;
  boxSums(
    form,
    (y, row) => row.set(planes.subarray(4 * y * size, 4 * (y + 1) * size)),
    (y, sums) => {
      for (let x = 0; x < size; x++) {
        if (mask[y * size + x] === 0) continue;
        for (let c = 0; c < 3; c++) out[p++] = (sums[4 * x + c] as number) / (sums[4 * x + 3] as number);
      }
    },
  );
  return out;
}

/** @param restyled of the pixels that the mask touches */
export function paste(natural: Uint8Array, restyled: Float32Array, mask: Uint8Array): Uint8Array {
  const out = natural.slice();
  for (let i = 0, p = 0; i < mask.length; i++) {
    const share = (mask[i] as number) / 255;
    if (share === 0) continue;
    for (let s = 3 * i; s < 3 * i + 3; s++) {
      const from = natural[s] as number;
      out[s] = Math.min(255, Math.max(0, Math.floor(from + share * ((restyled[p++] as number) - from) + 0.5)));
    }
  }
  return out;
}
