/**
 * How the network's answer becomes a change of colour. What training gets right is a dozen numbers a picture; what the
 * answer holds beside them is mostly error. So one affine transform of the colours inside the mask is fitted to it, and what
 * of the rest is kept is a matter of choice: `none` keeps all, `local` what varies slowly over the object, `global` nothing,
 * `auto` nothing either, and of small and uncertain changes less than all.
 */
import { UsageError } from "../errors.js";
import { MOMENTS, MomentReader, solveTransform, TERMS } from "./colour_moments.js";
import { type ColourTransform, fromChange } from "./colour_transform.js";
import type { FloatImage } from "./float.js";

export const FITS = ["auto", "global", "local", "none"] as const;
export type Fit = (typeof FITS)[number];
export const DEFAULT_FIT: Fit = "auto";

/** @throws UsageError naming the choices */
export function checkFit(fit: Fit): void {
  if (!FITS.includes(fit)) throw new UsageError(`fit must be one of ${FITS.join(", ")}, got ${String(fit)}`);
}

/**
 * Ridges of the global fit, towards no change of contrast; the change of the mean colour is never shrunk. In squared units
 * of [0, 1] colour: of a variance, and of a sum of squares over pixels, which counts where there are few. On 200 composites
 * all variances from 1e-6 to 3e-4 and all sums up to 1 come within 0.01 dB.
 */
const RIDGE = 1e-5;
const RIDGE_SUM = 0.1;

/**
 * Below this size (root mean square over the object, of 255) a change is as likely harm as help, and so is one of half the
 * size of what the fit leaves over. Chosen on composites of validation photographs, with the weights in the box: pictures made
 * worse 14 -> 11 of 200 for 0.06 dB of the 5.6 gained; 23 -> 20 and 35 -> 25 of 80 whose change of colour was a weak one, for
 * which PSNR rises by 0.05 and 0.4 dB; untouched pictures are left at 52 dB instead of 43.
 */
const NOISE_LEVELS = 4;
const NOISE_OF_REST = 0.5;

/** Weighted sums of a picture's pixels (`colour_moments.ts`), and of what a transform leaves of the answer. */
export interface Moments {
  readonly sums: Float64Array;
  /** Sums of the squared change, over the three channels. */
  readonly squares: number;
}

/** @param sure how surely each pixel is foreground and nothing else: [height, width] */
export function momentsOf(input: FloatImage<3>, output: FloatImage<3>, sure: FloatImage<1>): Moments {
  let squares = 0;
  for (let p = 0, i = 0; p < sure.data.length; p++)
    for (let c = 0; c < 3; c++, i++)
      squares += (sure.data[p] as number) * ((output.data[i] as number) - (input.data[i] as number)) ** 2;
  return { sums: new MomentReader(input, output, sure).total(), squares };
}

/** Of several pictures together, each counting as much as its weight says. */
export function pooled(all: readonly { readonly moments: Moments; readonly weight: number }[]): Moments {
  const sums = new Float64Array(MOMENTS);
  let squares = 0;
  for (const { moments, weight } of all) {
    for (let k = 0; k < MOMENTS; k++) sums[k] = (sums[k] as number) + weight * (moments.sums[k] as number);
    squares += weight * moments.squares;
  }
  return { sums, squares };
}

export interface GlobalFit {
  /** D, row by row, then c, of change = D x + c; before `share`. */
  readonly change: Float64Array;
  /** The part of it that is believed: 1 but for `auto`. */
  readonly share: number;
  /** With the share. */
  readonly transform: ColourTransform;
  /** Root mean square over the object, of 255: of the fitted change, and of what it leaves of the network's answer. */
  readonly changeLevels: number;
  readonly restLevels: number;
}

/** The ridge regression of the answer's change on colour; no change where there is no foreground. */
export function solveGlobal({ sums, squares }: Moments, fit: Fit): GlobalFit {
  const change = new Float64Array(TERMS);
  const pixels = sums[0] as number;
  const weight = solveTransform(sums, 0, RIDGE + RIDGE_SUM / Math.max(pixels, 1), change);
  const { own, cross } = energies(sums, change);
  const levels = (energy: number): number => (weight > 0 ? 255 * Math.sqrt(Math.max(0, energy) / (3 * weight)) : 0);
  const [changeLevels, restLevels] = [levels(own), levels(squares - 2 * cross + own)];
  const noise = NOISE_LEVELS ** 2 + (NOISE_OF_REST * restLevels) ** 2;
  const believed = changeLevels > 0 ? Math.max(0, 1 - (noise / changeLevels ** 2) ** 2) : 0;
  const share = fit === "auto" ? believed : 1;
  return { change, share, transform: fromChange(change.map((term) => share * term)), changeLevels, restLevels };
}

/** Sums over pixels of |T(x)|^2 and of T(x) . change, for T(x) = D x + c. */
function energies(sums: Float64Array, terms: Float64Array): { own: number; cross: number } {
  const m = (k: number): number => sums[k] as number;
  const second = (i: number, j: number): number => m([4, 5, 6, 5, 7, 8, 6, 8, 9][3 * i + j] as number);
  let [own, cross] = [0, 0];
  for (let i = 0; i < 3; i++) {
    const c = terms[9 + i] as number;
    own += c * c * m(0);
    cross += c * m(10 + i);
    for (let j = 0; j < 3; j++) {
      const d = terms[3 * i + j] as number;
      own += 2 * c * d * m(1 + j);
      cross += d * m(13 + 3 * i + j);
      for (let k = 0; k < 3; k++) own += d * (terms[3 * i + k] as number) * second(j, k);
    }
  }
  return { own, cross };
}
