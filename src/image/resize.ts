/**
 * Resizing with a filter whose support grows with the reduction, so that every source pixel counts and nothing aliases.
 * The same weights as PIL's BILINEAR and BICUBIC; separable, rows first.
 */
import { UsageError } from "../errors.js";
import { type FloatImage, newFloatImage, readRgbRows } from "./float.js";
import type { Image } from "./image.js";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The size at which the network runs: the longest side at most `longest`, the aspect kept. Never an enlargement. */
export function workingSize(width: number, height: number, longest: number): Size {
  if (!(longest >= 1)) throw new UsageError(`the working size is a number of pixels, 1 or more; got ${longest}`);
  const scale = Math.floor(longest) / Math.max(width, height);
  if (scale >= 1) return { width, height };
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** A piecewise polynomial round 0 that vanishes from `support` on, in source pixels where nothing is reduced. */
export interface Filter {
  readonly support: number;
  readonly weight: (distance: number) => number;
  /** Whether the support grows with the reduction. Without it pixels are left out, as OpenCV's INTER_LINEAR does. */
  readonly antialias: boolean;
}

const triangle = (x: number): number => Math.max(0, 1 - Math.abs(x));

export const BILINEAR: Filter = { support: 1, weight: triangle, antialias: true };
export const BILINEAR_ALIASED: Filter = { support: 1, weight: triangle, antialias: false };

/** Keys's cubic with a = -0.5, which PIL uses. (OpenCV and PyTorch take -0.75.) It overshoots. */
export const BICUBIC: Filter = {
  support: 2,
  antialias: true,
  weight: (distance) => {
    const x = Math.abs(distance);
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
  },
};

/** For each output position: the first source position and the weights from there on, summing to 1. */
export interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `stride` weights a position. */
  readonly weights: Float64Array;
  readonly stride: number;
}

export function filterTaps({ support: reach, weight, antialias }: Filter, from: number, to: number): Taps {
  const scale = from / to;
  const stretch = antialias ? Math.max(1, scale) : 1;
  const support = reach * stretch;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const weights = new Float64Array(to * stride);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const low = Math.max(0, Math.floor(centre - support + 0.5));
    const high = Math.min(from, Math.floor(centre + support + 0.5));
    let sum = 0;
    for (let k = low; k < high; k++) {
      const value = weight((k - centre + 0.5) * (1 / stretch));
      weights[i * stride + k - low] = value;
      sum += value;
    }
    for (let k = 0; k < high - low; k++) weights[i * stride + k] = (weights[i * stride + k] as number) / sum;
    first[i] = low;
    count[i] = high - low;
  }
  return { first, count, weights, stride };
}

/** Resizes a float image. Enlarging interpolates. */
export function resize<C extends number>(
  image: FloatImage<C>,
  width: number,
  height: number,
  filter = BILINEAR,
): FloatImage<C> {
  if (image.width === width && image.height === height) return image;
  const row = image.width * image.channels;
  return resizeRows(image, image.channels, (y) => image.data.subarray(y * row, (y + 1) * row), width, height, filter);
}

/** Resizes by taking the pixel under each new pixel's centre, as PIL's NEAREST. */
export function resizeNearest<C extends number>(image: FloatImage<C>, width: number, height: number): FloatImage<C> {
  const { channels, data } = image;
  const out = newFloatImage(width, height, channels);
  const nearest = (i: number, from: number, to: number): number => Math.floor(((i + 0.5) * from) / to);
  for (let y = 0, p = 0; y < height; y++) {
    const row = nearest(y, image.height, height) * image.width;
    for (let x = 0; x < width; x++) {
      const from = (row + nearest(x, image.width, width)) * channels;
      for (let c = 0; c < channels; c++) out.data[p++] = data[from + c] as number;
    }
  }
  return out;
}

/** Resizes a decoded picture to RGB in [0, 1] row by row, without a float copy of the whole. */
export function resizeToRgb(image: Image, width: number, height: number): FloatImage<3> {
  const buffer = new Float32Array(image.width * 3);
  const readRow = (y: number): Float32Array => {
    readRgbRows(image, y, y + 1, buffer);
    return buffer;
  };
  return resizeRows(image, 3, readRow, width, height, BILINEAR);
}

/** Resizes what is read row by row, interleaved; a row may be overwritten by the next. */
export function resizeRows<C extends number>(
  source: Size,
  channels: C,
  readRow: (y: number) => Float32Array,
  width: number,
  height: number,
  filter: Filter = BILINEAR,
): FloatImage<C> {
  const across = filterTaps(filter, source.width, width);
  const down = filterTaps(filter, source.height, height);
  const stride = width * channels;
  const narrow = new Float32Array(source.height * stride);
  for (let y = 0; y < source.height; y++) {
    const row = readRow(y);
    for (let x = 0; x < width; x++) {
      const start = (across.first[x] as number) * channels;
      const count = across.count[x] as number;
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let k = 0, w = x * across.stride, s = start + c; k < count; k++, w++, s += channels)
          sum += (across.weights[w] as number) * (row[s] as number);
        narrow[y * stride + x * channels + c] = sum;
      }
    }
  }
  const out = newFloatImage(width, height, channels);
  const sums = new Float64Array(stride);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (let k = 0; k < (down.count[y] as number); k++) {
      const weight = down.weights[y * down.stride + k] as number;
      const from = ((down.first[y] as number) + k) * stride;
      for (let i = 0; i < stride; i++) sums[i] = (sums[i] as number) + weight * (narrow[from + i] as number);
    }
    out.data.set(sums, y * stride);
  }
  return out;
}
