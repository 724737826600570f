/**
 * Colour transfer: one set of pixels takes on the distribution of another. The four ways with which HCOCO was made.
 * Pixels are interleaved RGB, 0 to 255, in any number: source and reference need not be of one size.
 */

import { eigenSymmetric, type Matrix3, multiply, transposed } from "./matrix3.js";
import type { Draws } from "./random_draws.js";
import { meanOf } from "./region_pixels.js";

export const TRANSFERS = ["reinhard", "xiao", "fecker", "pitie"] as const;
export type Transfer = (typeof TRANSFERS)[number];

/** Deviations are never stretched by more: the noise of a smooth area is not to become a pattern. */
const MOST_STRETCH = 4;
/** A deviation below this is none. */
const LEAST_DEVIATION = 1e-4;

/** @param draws for the random rotations of `pitie` alone */
export function transferColours(
  name: Transfer,
  source: Float32Array,
  reference: Float32Array,
  draws: Draws,
): Float32Array {
  switch (name) {
    case "reinhard":
      return reinhard(source, reference);
    case "xiao":
      return xiao(source, reference);
    case "fecker":
      return fecker(source, reference);
    case "pitie":
      return pitie(source, reference, draws);
  }
}

type Nine = [number, number, number, number, number, number, number, number, number];

function mapped(pixels: Float32Array, matrix: Matrix3): Float32Array {
  const out = new Float32Array(pixels.length);
  const [m0, m1, m2, m3, m4, m5, m6, m7, m8] = matrix as unknown as Nine;
  for (let p = 0; p < pixels.length; p += 3) {
    const [x, y, z] = [pixels[p] as number, pixels[p + 1] as number, pixels[p + 2] as number];
    out[p] = m0 * x + m1 * y + m2 * z;
    out[p + 1] = m3 * x + m4 * y + m5 * z;
    out[p + 2] = m6 * x + m7 * y + m8 * z;
  }
  return out;
}

interface Moments {
  readonly mean: readonly [number, number, number];
  readonly covariance: Matrix3;
}

function momentsOf(pixels: Float32Array): Moments {
  const count = Math.max(1, pixels.length / 3);
  const mean = meanOf(pixels);
  let [rr, rg, rb, gg, gb, bb] = [0, 0, 0, 0, 0, 0];
  for (let p = 0; p < pixels.length; p += 3) {
    const r = (pixels[p] as number) - mean[0];
    const g = (pixels[p + 1] as number) - mean[1];
    const b = (pixels[p + 2] as number) - mean[2];
    rr += r * r;
    rg += r * g;
    rb += r * b;
    gg += g * g;
    gb += g * b;
    bb += b * b;
  }
  return { mean, covariance: [rr, rg, rb, rg, gg, gb, rb, gb, bb].map((sum) => sum / count) };
}

const stretch = (from: number, to: number): number => {
  if (from < LEAST_DEVIATION) return 1;
  return Math.min(MOST_STRETCH, Math.max(1 / MOST_STRETCH, to / from));
};

/** RGB to the cones' responses, and the decorrelated axes of their logarithms (Ruderman, Cronin and Chiao). */
const LMS = [0.3811, 0.5783, 0.0402, 0.1967, 0.7244, 0.0782, 0.0241, 0.1288, 0.8444];
/** Of this very matrix; the inverse that is printed in the paper is another's. */
const LMS_INVERSE = [
  4.468669863, -3.588675903, 0.119604367, -1.219716628, 2.383087913, -0.162630112, 0.058508477, -0.261078439,
  1.205665909,
];
const [R3, R6, R2] = [1 / Math.sqrt(3), 1 / Math.sqrt(6), 1 / Math.sqrt(2)];
const LAB = [R3, R3, R3, R6, R6, -2 * R6, R2, -R2, 0];

/** Reinhard et al. 2001: means and deviations in log l-alpha-beta. */
function reinhard(source: Float32Array, reference: Float32Array): Float32Array {
  const toLab = (pixels: Float32Array): Float32Array => {
    const lms = mapped(pixels, LMS);
    for (let p = 0; p < lms.length; p++) lms[p] = Math.log10(Math.max(1, lms[p] as number));
    return mapped(lms, LAB);
  };
  const lab = toLab(source);
  const [from, to] = [momentsOf(lab), momentsOf(toLab(reference))];
  for (let c = 0; c < 3; c++) {
    const deviation = ({ covariance }: Moments): number => Math.sqrt(covariance[4 * c] as number);
    const factor = stretch(deviation(from), deviation(to));
    for (let p = c; p < lab.length; p += 3)
      lab[p] = ((lab[p] as number) - (from.mean[c] as number)) * factor + (to.mean[c] as number);
  }
  const lms = mapped(lab, transposed(LAB)); // orthonormal
  for (let p = 0; p < lms.length; p++) lms[p] = 10 ** (lms[p] as number);
  return mapped(lms, LMS_INVERSE);
}

/** Xiao and Ma 2006: the ellipsoid of RGB's covariance, moved, turned and scaled onto the other. */
function xiao(source: Float32Array, reference: Float32Array): Float32Array {
  const [from, to] = [momentsOf(source), momentsOf(reference)];
  const [a, b] = [eigenSymmetric(from.covariance), eigenSymmetric(to.covariance)];
  // An eigenvector's sign is free: the one that turns less, else light and dark may change places.
  const dot = (k: number): number =>
    [0, 3, 6].reduce((sum, row) => sum + (a.vectors[row + k] as number) * (b.vectors[row + k] as number), 0);
  const signs = [0, 1, 2].map((k) => (dot(k) < 0 ? -1 : 1));
  const scaled = b.vectors.map((value, i) => {
    const k = i % 3;
    const deviation = (values: readonly number[]): number => Math.sqrt(Math.max(0, values[k] as number));
    return value * (signs[k] as number) * stretch(deviation(a.values), deviation(b.values));
  });
  const matrix = multiply(scaled, transposed(a.vectors));
  const centred = source.map((value, p) => value - (from.mean[p % 3] as number));
  const out = mapped(centred, matrix);
  for (let p = 0; p < out.length; p++) out[p] = (out[p] as number) + (to.mean[p % 3] as number);
  return out;
}

const YCBCR = [0.299, 0.587, 0.114, -0.168736, -0.331264, 0.5, 0.5, -0.418688, -0.081312];
const YCBCR_INVERSE = [1, 0, 1.402, 1, -0.344136, -0.714136, 1, 1.772, 0];

/** Fecker et al. 2008: each channel of YCbCr through the cumulative histograms. */
function fecker(source: Float32Array, reference: Float32Array): Float32Array {
  const [from, to] = [mapped(source, YCBCR), mapped(reference, YCBCR)];
  for (let c = 0; c < 3; c++) matchHistogram(from, to, c);
  return mapped(from, YCBCR_INVERSE);
}

const ROTATIONS = 8;

/** Pitié et al. 2005: histograms matched along the axes of one random rotation after another. */
function pitie(source: Float32Array, reference: Float32Array, draws: Draws): Float32Array {
  let pixels = source;
  for (let round = 0; round < ROTATIONS; round++) {
    const rotation = round === 0 ? [1, 0, 0, 0, 1, 0, 0, 0, 1] : randomRotation(draws);
    const [from, to] = [mapped(pixels, rotation), mapped(reference, rotation)];
    for (let c = 0; c < 3; c++) matchHistogram(from, to, c);
    pixels = mapped(from, transposed(rotation));
  }
  return pixels;
}

/** Evenly over all rotations, by way of a unit quaternion (Shoemake). */
function randomRotation(draws: Draws): Matrix3 {
  const [u, v, w] = [draws.uniform(), 2 * Math.PI * draws.uniform(), 2 * Math.PI * draws.uniform()];
  const [s, t] = [Math.sqrt(1 - u), Math.sqrt(u)];
  const [a, b, c, d] = [s * Math.sin(v), s * Math.cos(v), t * Math.sin(w), t * Math.cos(w)];
  return [
    1 - 2 * (c * c + d * d),
    2 * (b * c - a * d),
    2 * (b * d + a * c),
    2 * (b * c + a * d),
    1 - 2 * (b * b + d * d),
    2 * (c * d - a * b),
    2 * (b * d - a * c),
    2 * (c * d + a * b),
    1 - 2 * (b * b + c * c),
  ];
}

const BINS = 256;

/** Channel `c` of `pixels` through its own cumulative histogram and back through the reference's, in place. */
function matchHistogram(pixels: Float32Array, reference: Float32Array, c: number): void {
  const [from, to] = [cumulative(pixels, c), cumulative(reference, c)];
  const edges = new Float64Array(BINS + 1);
  for (let i = 0, j = 0; i <= BINS; i++) {
    const share = from.shares[i] as number;
    while (j < BINS && (to.shares[j + 1] as number) < share) j++;
    const [low, high] = [to.shares[j] as number, to.shares[Math.min(BINS, j + 1)] as number];
    edges[i] = to.least + to.width * (j + (high > low ? (share - low) / (high - low) : 0));
  }
  for (let p = c; p < pixels.length; p += 3) {
    const place = ((pixels[p] as number) - from.least) / from.width;
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor(place)));
    const [low, high] = [edges[bin] as number, edges[bin + 1] as number];
    pixels[p] = low + (high - low) * (place - bin);
  }
}

interface Cumulative {
  readonly least: number;
  /** Of a bin. */
  readonly width: number;
  /** At the bins' edges, 0 to 1. */
  readonly shares: Float64Array;
}

function cumulative(pixels: Float32Array, c: number): Cumulative {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let p = c; p < pixels.length; p += 3) {
    const value = pixels[p] as number;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const width = Math.max(1e-6, (most - least) / BINS);
  const shares = new Float64Array(BINS + 1);
  for (let p = c; p < pixels.length; p += 3) {
    const bin = Math.min(BINS - 1, Math.floor(((pixels[p] as number) - least) / width));
    shares[bin + 1] = (shares[bin + 1] as number) + 3 / pixels.length;
  }
  for (let i = 1; i <= BINS; i++) shares[i] = (shares[i] as number) + (shares[i - 1] as number);
  return { least, width, shares };
}
