/** What a transform does to an object, in a photographer's words; and how well it tells what was done. */
import { type ColourTransform, LUMINANCE, mapOf } from "./colour_transform.js";
import type { Moments } from "./fit.js";
import { colourChannels, type Image, maxSample } from "./image.js";
import { boundingBox, type Mask } from "./mask.js";
import { MAX_PSNR } from "./protocols.js";

/** Light is taken as sRGB's, of the object's mean colour before and after. */
export interface TransformWords {
  /** Above 0 brighter: log2 of the luminance's factor. */
  readonly exposureStops: number;
  /** Above 0 warmer: log2 of red's factor over blue's. */
  readonly temperatureStops: number;
  /** Above 0 greener, below more magenta: log2 of green's factor over the geometric mean of red's and blue's. */
  readonly tintStops: number;
  /** Factors of the spread of encoded colours round gray, and of encoded luminance, over the object. */
  readonly saturation: number;
  readonly contrast: number;
  /** One line: `0.42 stops darker, warmer by 0.15 stops, saturation x 0.91`. */
  readonly text: string;
}

/** Of linear light: less is black, where factors of light mean nothing. */
const BLACK = 1e-3;
/** A level of 255: spreads below it are noise. */
const LEVEL = (1 / 255) ** 2;

/** @param moments of the object before the change */
export function describeTransform(transform: ColourTransform, { sums }: Moments): TransformWords {
  const pixels = sums[0] as number;
  if (!(pixels > 0))
    return { exposureStops: 0, temperatureStops: 0, tintStops: 0, saturation: 1, contrast: 1, text: "no change" };
  const before = Float64Array.from({ length: 3 }, (_, i) => (sums[1 + i] as number) / pixels);
  const after = new Float64Array(3);
  mapOf(transform)(before, after);
  const [light, lit] = [Array.from(before, linear), Array.from(after, linear)];
  const stops = (a: number, b: number): number => Math.log2((b + BLACK) / (a + BLACK));
  const factors = light.map((value, i) => stops(value, lit[i] as number)) as [number, number, number];
  const exposureStops = stops(luminous(light), luminous(lit));
  const temperatureStops = factors[0] - factors[2];
  const tintStops = factors[1] - (factors[0] + factors[2]) / 2;
  const spread = spreadOf(sums, before);
  const factor = (rows: readonly (readonly number[])[]): number => {
    const of = (matrix: ColourTransform | null): number =>
      rows.reduce((sum, row) => sum + variance(matrix ? through(row, matrix) : row, spread), 0);
    return Math.sqrt((of(transform) + LEVEL) / (of(null) + LEVEL));
  };
  const contrast = factor([LUMINANCE]);
  const saturation = factor([0, 1, 2].map((i) => LUMINANCE.map((share, j) => (i === j ? 1 : 0) - share)));
  const numbers = { exposureStops, temperatureStops, tintStops, saturation, contrast };
  return { ...numbers, text: wordsOf(numbers) };
}

const linear = (value: number): number => {
  const v = Math.min(Math.max(value, 0), 1);
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
};
const luminous = ([r, g, b]: readonly number[]): number =>
  0.2126 * (r as number) + 0.7152 * (g as number) + 0.0722 * (b as number);

/** The object's covariance of colours, 3 x 3. */
function spreadOf(sums: Float64Array, mean: Float64Array): number[][] {
  const second = [4, 5, 6, 5, 7, 8, 6, 8, 9].map((k) => (sums[k] as number) / (sums[0] as number));
  return [0, 1, 2].map((i) =>
    [0, 1, 2].map((j) => (second[3 * i + j] as number) - (mean[i] as number) * (mean[j] as number)),
  );
}

const through = (row: readonly number[], matrix: ColourTransform): number[] =>
  [0, 1, 2].map((j) => row.reduce((sum, share, i) => sum + share * ((matrix[i] as readonly number[])[j] as number), 0));

const variance = (row: readonly number[], spread: readonly (readonly number[])[]): number =>
  Math.max(
    0,
    row.reduce(
      (sum, a, i) => sum + row.reduce((inner, b, j) => inner + a * b * ((spread[i] as number[])[j] as number), 0),
      0,
    ),
  );

const SEEN_STOPS = 0.05;
const SEEN_FACTOR = 0.03;

function wordsOf({
  exposureStops,
  temperatureStops,
  tintStops,
  saturation,
  contrast,
}: Omit<TransformWords, "text">): string {
  const stops = (value: number): string => `${Math.abs(value).toFixed(2)} stops`;
  const parts: string[] = [];
  if (Math.abs(exposureStops) >= SEEN_STOPS)
    parts.push(`${stops(exposureStops)} ${exposureStops > 0 ? "brighter" : "darker"}`);
  if (Math.abs(temperatureStops) >= SEEN_STOPS)
    parts.push(`${temperatureStops > 0 ? "warmer" : "cooler"} by ${stops(temperatureStops)}`);
  if (Math.abs(tintStops) >= SEEN_STOPS)
    parts.push(`${tintStops > 0 ? "greener" : "more magenta"} by ${stops(tintStops)}`);
  if (Math.abs(saturation - 1) >= SEEN_FACTOR) parts.push(`saturation x ${saturation.toFixed(2)}`);
  if (Math.abs(contrast - 1) >= SEEN_FACTOR) parts.push(`contrast x ${contrast.toFixed(2)}`);
  return parts.length > 0 ? parts.join(", ") : "hardly any change";
}

export interface Residual {
  /** Root mean square difference, in levels of 255. */
  readonly levels: number;
  /** The same as PSNR over the object, at most 100. */
  readonly decibels: number;
}

/** Rows are skipped so that about so many pixels are compared. */
const COMPARED = 1_000_000;
/** Pixels that take nearly as much of the change as any: soft edges are another matter. */
const WHOLE = 0.999;

/** How far a picture is from what the transform alone makes of it, where the object is whole. */
export function residualOf(before: Image, after: Image, weight: Mask, transform: ColourTransform): Residual {
  const box = boundingBox(weight);
  let [sum, count] = [0, 0];
  if (box) {
    const { width, channels } = before;
    const [colours, max] = [colourChannels(before), maxSample(before)];
    const step = Math.ceil(((box.x1 - box.x0) * (box.y1 - box.y0)) / COMPARED);
    const most = weight.data.reduce((a, b) => Math.max(a, b), 0);
    const map = mapOf(transform);
    const colour = new Float64Array(3);
    for (let y = box.y0; y < box.y1; y += step)
      for (let x = box.x0; x < box.x1; x++) {
        const share = weight.data[y * width + x] as number;
        if (share < WHOLE * most) continue;
        const p = (y * width + x) * channels;
        for (let c = 0; c < 3; c++) colour[c] = (before.data[p + Math.min(c, colours - 1)] as number) / max;
        map(colour, colour);
        for (let c = 0; c < colours; c++) {
          const from = before.data[p + c] as number;
          const told = Math.round(from + share * (Math.min(Math.max(colour[c] as number, 0), 1) * max - from));
          sum += ((255 / max) * (told - (after.data[p + c] as number))) ** 2;
          count++;
        }
      }
  }
  const levels = count > 0 ? Math.sqrt(sum / count) : 0;
  return { levels, decibels: Math.min(MAX_PSNR, 20 * Math.log10(255 / levels)) };
}
