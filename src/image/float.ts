/**
 * Pictures as the network sees them: interleaved float32 in [0, 1]. One type serves colour (3), masks (1) and the
 * network's input (4), so that resizing, padding and cropping are written once.
 */
import { ShapeError } from "../errors.js";
import { colourChannels, type Image, maxSample, newSamples } from "./image.js";

/** [height, width, channels] in row-major order, samples in [0, 1] unless a function says otherwise. */
export interface FloatImage<C extends number = number> {
  readonly width: number;
  readonly height: number;
  readonly channels: C;
  readonly data: Float32Array;
}

export function newFloatImage<C extends number>(width: number, height: number, channels: C): FloatImage<C> {
  return { width, height, channels, data: new Float32Array(width * height * channels) };
}

/** RGB in [0, 1]: gray is spread over three channels, alpha is left out. */
export function toFloatRgb(image: Image): FloatImage<3> {
  const out = newFloatImage(image.width, image.height, 3);
  readRgbRows(image, 0, image.height, out.data);
  return out;
}

/** Rows y0 to y1 (exclusive) of an image as interleaved RGB in [0, 1], into `out`. */
export function readRgbRows(image: Image, y0: number, y1: number, out: Float32Array): void {
  const { width, channels, data } = image;
  const scale = 1 / maxSample(image);
  const [g, b] = colourChannels(image) === 3 ? [1, 2] : [0, 0];
  const end = (y1 - y0) * width * 3;
  for (let p = 0, s = y0 * width * channels; p < end; p += 3, s += channels) {
    out[p] = (data[s] as number) * scale;
    out[p + 1] = (data[s + g] as number) * scale;
    out[p + 2] = (data[s + b] as number) * scale;
  }
}

/** Rounds and clamps float samples to 8 or 16 bits. */
export function fromFloat(image: FloatImage<1 | 3 | 4>, depth: 8 | 16 = 8): Image {
  const { width, height, channels } = image;
  const data = newSamples(depth, image.data.length);
  const max = maxSample({ depth });
  for (let i = 0; i < data.length; i++) {
    const value = image.data[i] as number;
    data[i] = value <= 0 ? 0 : value >= 1 ? max : Math.floor(value * max + 0.5); // Math.round takes three times as long
  }
  return { width, height, channels, depth, data };
}

/** [H, W, C] to [C, H, W], as PyTorch and .npy files lay images out. */
export function toPlanar(image: FloatImage): Float32Array {
  const { channels, data } = image;
  const area = image.width * image.height;
  const out = new Float32Array(data.length);
  for (let c = 0; c < channels; c++)
    for (let i = 0, s = c, p = c * area; i < area; i++, s += channels, p++) out[p] = data[s] as number;
  return out;
}

/** [C, H, W] to [H, W, C]. */
export function fromPlanar<C extends number>(
  planar: Float32Array,
  width: number,
  height: number,
  channels: C,
): FloatImage<C> {
  const area = width * height;
  if (planar.length !== area * channels)
    throw new ShapeError(
      `fromPlanar: [${channels}, ${height}, ${width}] needs ${area * channels} values, got ${planar.length}`,
    );
  const out = newFloatImage(width, height, channels);
  for (let c = 0; c < channels; c++)
    for (let i = 0, p = c, s = c * area; i < area; i++, p += channels, s++) out.data[p] = planar[s] as number;
  return out;
}

/** The network's input: RGB with the mask as fourth channel. */
export function stackMask(rgb: FloatImage<3>, mask: FloatImage<1>): FloatImage<4> {
  const { width, height } = rgb;
  if (mask.width !== width || mask.height !== height)
    throw new ShapeError(`stackMask: the image is ${width}x${height}, the mask ${mask.width}x${mask.height}`);
  const out = newFloatImage(width, height, 4);
  for (let i = 0, s = 0, p = 0; i < mask.data.length; i++, s += 3, p += 4) {
    out.data[p] = rgb.data[s] as number;
    out.data[p + 1] = rgb.data[s + 1] as number;
    out.data[p + 2] = rgb.data[s + 2] as number;
    out.data[p + 3] = mask.data[i] as number;
  }
  return out;
}
