/**
 * Resizing with a triangle (bilinear) filter whose support grows with the reduction, so that every source pixel counts
 * and nothing aliases. The same weights as PIL's BILINEAR; separable, rows first.
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

/** For each output position: the first source position and the weights from there on, summing to 1. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `stride` weights a position. */
  readonly weights: Float64Array;
  readonly stride: number;
}

function triangleTaps(from: number, to: number): Taps {
  const scale = from / to;
  const support = Math.max(1, scale);
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
      const weight = Math.max(0, 1 - Math.abs(k + 0.5 - centre) / support);
      weights[i * stride + k - low] = weight;
      sum += weight;
    }
    for (let k = 0; k < high - low; k++) weights[i * stride + k] = (weights[i * stride + k] as number) / sum;
    first[i] = low;
    count[i] = high - low;
  }
  return { first, count, weights, stride };
}

/** Resizes a float image. Enlarging interpolates linearly. */
export function resize<C extends number>(image: FloatImage<C>, width: number, height: number): FloatImage<C> {
  if (image.width === width && image.height === height) return image;
  const row = image.width * image.channels;
  return resizeRows(image, image.channels, (y) => image.data.subarray(y * row, (y + 1) * row), width, height);
}

/** Resizes a decoded picture to RGB in [0, 1] row by row, without a float copy of the whole. */
export function resizeToRgb(image: Image, width: number, height: number): FloatImage<3> {
  const buffer = new Float32Array(image.width * 3);
  const readRow = (y: number): Float32Array => {
    readRgbRows(image, y, y + 1, buffer);
    return buffer;
  };
  return resizeRows(image, 3, readRow, width, height);
}

function resizeRows<C extends number>(
  source: Size,
  channels: C,
  readRow: (y: number) => Float32Array,
  width: number,
  height: number,
): FloatImage<C> {
  const across = triangleTaps(source.width, width);
  const down = triangleTaps(source.height, height);
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
