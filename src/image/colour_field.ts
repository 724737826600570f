/**
 * A change of colour that varies over the object, as a transform a pixel. In the manner of the fast guided filter (He & Sun
 * 2015) with the picture as its own guide: in every window an affine map from colour to change of colour is fitted,
 *
 *     change = D (x - mean) + c,   D = cov(change, x) (cov(x) + epsilon I)^-1,
 *
 * and the maps are averaged over the windows that hold a pixel.
 *
 * Four departures. The statistics are weighted by how surely a pixel is foreground, so neither the background nor the
 * mixtures on the edge have a say in the foreground's transform; where nothing is sure, transforms come from the surest
 * places near. The ridge pulls towards the transform of the whole foreground, not towards a flat colour: what is one global
 * change of colour comes out exactly, and where a window is too plain to tell, detail keeps its contrast. And where the
 * network's answer is to be met exactly at its own size, what the fit misses is added to c.
 */
import { ShapeError } from "../errors.js";
import { boxSums } from "./box_filter.js";
import { MOMENTS, MomentReader, NO_WEIGHT, solveTransform, TERMS } from "./colour_moments.js";
import { extend } from "./extend.js";
import { type FloatImage, newFloatImage } from "./float.js";

export interface FieldOptions {
  /** Windows are 2 radius + 1 pixels of the small image wide. */
  readonly radius: number;
  /** Ridge of the local fit, in squared units of [0, 1] colour: contrast below its root is not trusted. */
  readonly epsilon: number;
  /** Adds what the fit misses, so that at its own size the answer is met. */
  readonly exact: boolean;
}

/** One colour transform a pixel of the small image: [height, width, 12]. */
export type ColourField = FloatImage<typeof TERMS>;

/**
 * Fits the transforms at the size the network ran at.
 * @param input, output what the network saw and answered
 * @param sure how surely each pixel is foreground and nothing else, 0 to 1: [height, width]
 * @param global the transform of the whole foreground: D, row by row, then c
 */
export function fitColourField(
  input: FloatImage<3>,
  output: FloatImage<3>,
  sure: FloatImage<1>,
  global: Float64Array,
  { radius, epsilon, exact }: FieldOptions,
): ColourField {
  const { width, height } = input;
  for (const other of [output, sure])
    if (other.width !== width || other.height !== height)
      throw new ShapeError(
        `guided upsampling: input is ${width}x${height}, mask or output ${other.width}x${other.height}`,
      );
  const moments = new MomentReader(input, output, sure);

  // First pass: a transform a window, weighted by how much foreground it holds. It is fitted to what the global
  // transform leaves over.
  moments.subtract(global);
  const fitted = new Float32Array(width * height * (TERMS + 1));
  const transform = new Float64Array(TERMS);
  boxSums({ width, height, channels: MOMENTS, radius }, moments.readRow, (y, sums) => {
    for (let x = 0; x < width; x++) {
      const weight = solveTransform(sums, x * MOMENTS, epsilon, transform);
      const at = (y * width + x) * (TERMS + 1);
      fitted[at + TERMS] = weight;
      for (let k = 0; k < TERMS; k++) fitted[at + k] = weight * (transform[k] as number);
    }
  });

  // Second pass: the mean transform of the windows a pixel lies in, trusted wholly where they hold a line of sure pixels.
  const local = newFloatImage(width, height, TERMS);
  const trust = new Float32Array(width * height);
  const stride = width * (TERMS + 1);
  const readFitted = (y: number, row: Float64Array): void => row.set(fitted.subarray(y * stride, (y + 1) * stride));
  boxSums({ width, height, channels: TERMS + 1, radius }, readFitted, (y, sums) => {
    for (let x = 0, p = y * width; x < width; x++, p++) {
      const weight = sums[x * (TERMS + 1) + TERMS] as number;
      if (!(weight > NO_WEIGHT)) continue;
      trust[p] = Math.min(1, weight / (2 * radius + 1) ** 3);
      for (let k = 0; k < TERMS; k++) local.data[p * TERMS + k] = (sums[x * (TERMS + 1) + k] as number) / weight;
    }
  });
  const field = extend(local, trust);
  for (let at = 0; at < field.data.length; at += TERMS)
    for (let k = 0; k < TERMS; k++) field.data[at + k] = (field.data[at + k] as number) + (global[k] as number);
  if (exact) addRemainder(field, input, output, sure);
  return field;
}

/** Adds to each c what the transform misses of the network's answer; where nothing is sure, what it misses near there. */
function addRemainder(field: ColourField, input: FloatImage<3>, output: FloatImage<3>, sure: FloatImage<1>): void {
  const { width, height } = input;
  const missed = newFloatImage(width, height, 3);
  for (let p = 0; p < sure.data.length; p++)
    for (let i = 0; i < 3; i++) {
      let answer = (input.data[3 * p + i] as number) + (field.data[p * TERMS + 9 + i] as number);
      for (let j = 0; j < 3; j++)
        answer += (field.data[p * TERMS + 3 * i + j] as number) * (input.data[3 * p + j] as number);
      missed.data[3 * p + i] = (output.data[3 * p + i] as number) - answer;
    }
  const remainder = extend(missed, sure.data).data;
  for (let p = 0; p < sure.data.length; p++)
    for (let i = 0, at = p * TERMS + 9; i < 3; i++, at++)
      field.data[at] = (field.data[at] as number) + (remainder[3 * p + i] as number);
}
