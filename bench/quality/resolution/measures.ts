/** How far a result at one working size is from another picture, and what is typical of carrying colours to full size. */
import { distanceToZero } from "../../../src/image/distance.js";
import type { Image } from "../../../src/image/image.js";
import type { Mask } from "../../../src/image/mask.js";
import { foregroundMse, mse, psnrOfMse } from "../../../src/image/metrics.js";

/** Equal pictures have no finite PSNR. */
const MOST_DECIBELS = 100;
const decibels = (error: number): number => Math.min(MOST_DECIBELS, psnrOfMse(error));

export interface Distance {
  /** Decibels over the whole picture, and over the foreground. */
  readonly psnr: number;
  readonly fpsnr: number;
  /** Mean squared error of the foreground, on 0 to 255. */
  readonly fmse: number;
}

/** @param a, b 8-bit RGB */
export function distanceOf(a: Image, b: Image, mask: Mask): Distance {
  const fmse = foregroundMse(a, b, mask);
  return { psnr: decibels(mse(a, b)), fpsnr: decibels(fmse), fmse };
}

/** Pixels of the foreground by where they are: 1 on the edge, 2 inside, 0 outside. */
export type Zones = Uint8Array;

/** The edge is as wide as a pixel of 256, inwards from where the mask ends, and all that is soft. */
export function zonesOf(mask: Mask): Zones {
  const { width, height, data } = mask;
  const band = Math.max(2, Math.max(width, height) / 256);
  const distance = distanceToZero(data, width, height);
  const zones = new Uint8Array(data.length);
  for (let p = 0; p < zones.length; p++) {
    const m = data[p] as number;
    if (m > 0) zones[p] = m < 1 || (distance[p] as number) <= band ? 1 : 2;
  }
  return zones;
}

export interface Halo {
  /** Root mean squared error on the edge and inside, on 0 to 255. */
  readonly edge: number;
  readonly inside: number;
  /** Edge over inside: above 1, the edge is worse than what it encloses. */
  readonly ratio: number;
}

export function haloOf(a: Image, b: Image, zones: Zones): Halo {
  const squares = [0, 0, 0];
  const counts = [0, 0, 0];
  for (let p = 0, s = 0; p < zones.length; p++)
    for (let c = 0; c < 3; c++, s++) {
      const zone = zones[p] as number;
      squares[zone] = (squares[zone] as number) + ((a.data[s] as number) - (b.data[s] as number)) ** 2;
      counts[zone] = (counts[zone] as number) + 1;
    }
  const rms = (zone: number): number => Math.sqrt((squares[zone] as number) / Math.max(1, counts[zone] as number));
  // Half a level is what rounding leaves of no error at all.
  return { edge: rms(1), inside: rms(2), ratio: rms(1) / Math.max(0.5, rms(2)) };
}

export interface Banding {
  /** Values a channel takes inside the foreground, the mean of three. */
  readonly levels: number;
  /** Pixels of one value in a row, the mean over smooth gradients. */
  readonly flatRun: number;
  /** Shares of the steps from pixel to pixel in smooth gradients: -8 or less, -7, ..., 8 or more. */
  readonly steps: readonly number[];
}

const MOST_STEP = 8;
/** A smooth gradient: the photograph's neighbours differ by no more, over no less. */
const SMOOTH_STEP = 2;
const SMOOTH_LENGTH = 48;

/** @param photograph where gradients are smooth is decided on it, so that all results are asked about the same places */
export function bandingOf(image: Image, photograph: Image, zones: Zones): Banding {
  const seen = [new Uint8Array(256), new Uint8Array(256), new Uint8Array(256)];
  for (let p = 0; p < zones.length; p++)
    if (zones[p] === 2)
      seen.forEach((values, c) => {
        values[image.data[3 * p + c] as number] = 1;
      });
  const counts = new Float64Array(2 * MOST_STEP + 1);
  let [length, runs] = [0, 0];
  forEachSmooth(photograph, zones, (start, end) => {
    for (let c = 0; c < 3; c++) {
      runs++;
      length += end - start;
      for (let p = start + 1; p < end; p++) {
        const step = (image.data[3 * p + c] as number) - (image.data[3 * p - 3 + c] as number);
        if (step !== 0) runs++;
        const bin = Math.max(-MOST_STEP, Math.min(MOST_STEP, step)) + MOST_STEP;
        counts[bin] = (counts[bin] as number) + 1;
      }
    }
  });
  const steps = counts.reduce((a, b) => a + b, 0);
  const levels = seen.reduce((sum, values) => sum + values.reduce((a, b) => a + b, 0), 0) / 3;
  return {
    levels,
    flatRun: runs === 0 ? Number.NaN : length / runs,
    steps: Array.from(counts, (count) => (steps === 0 ? Number.NaN : count / steps)),
  };
}

/** Calls back with the first pixel of every smooth stretch of a row inside the foreground, and the one after its last. */
function forEachSmooth({ width, data }: Image, zones: Zones, visit: (start: number, end: number) => void): void {
  const continues = (p: number): boolean => {
    if (zones[p] !== 2) return false;
    for (let c = 0; c < 3; c++)
      if (Math.abs((data[3 * p + c] as number) - (data[3 * p - 3 + c] as number)) > SMOOTH_STEP) return false;
    return true;
  };
  for (let row = 0; row < zones.length; row += width)
    for (let p = row; p < row + width; ) {
      if (zones[p] !== 2) {
        p++;
        continue;
      }
      let end = p + 1;
      while (end < row + width && continues(end)) end++;
      if (end - p >= SMOOTH_LENGTH) visit(p, end);
      p = end;
    }
}

/** Half the sum of the differences of two distributions: 0 equal, 1 apart. */
export const apart = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, share, i) => sum + Math.abs(share - (b[i] as number)), 0) / 2;
