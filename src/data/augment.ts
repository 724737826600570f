/**
 * One example as the network sees it, and its random variations. Composite, mask and photograph go through the same crop
 * and flip, composite and photograph through the same colours, so what is to be learnt stays as it was: outside the mask
 * the two remain equal.
 */
import { type FloatImage, newFloatImage } from "../image/float.js";
import { resize } from "../image/resize.js";

/** Three pictures of one size. */
export interface Pictures {
  readonly composite: FloatImage<3>;
  readonly mask: FloatImage<1>;
  readonly target: FloatImage<3>;
}

export interface Sample extends Pictures {
  readonly name: string;
}

/** The smallest crop, as a share of the sides. */
export const LEAST_CROP = 0.7;
const CROP_ATTEMPTS = 10;
/** A crop keeps at least this share of the foreground. */
const LEAST_FOREGROUND = 0.5;
/** Brightness, contrast and saturation change by at most this. */
const COLOUR_RANGE = 0.1;

interface Window {
  readonly x0: number;
  readonly y0: number;
  readonly width: number;
  readonly height: number;
}

/**
 * A random crop, squeezed to `size` x `size`, flipped half of the time, its colours changed a little.
 * @param uniform random numbers in [0, 1); the same ones give the same bits
 */
export function augment({ composite, mask, target }: Pictures, size: number, uniform: () => number): Pictures {
  const window = randomWindow(mask, uniform);
  const isFlipped = uniform() < 0.5;
  const colours = randomColours(uniform);
  const shape = <C extends number>(image: FloatImage<C>): FloatImage<C> => {
    const sized = resize(crop(image, window), size, size);
    return isFlipped ? flip(sized) : sized;
  };
  return {
    composite: colours(shape(composite)),
    mask: shape(mask),
    target: colours(shape(target)),
  };
}

/** A window of the picture's aspect that holds enough of the foreground; all of the picture where none is found. */
function randomWindow(mask: FloatImage<1>, uniform: () => number): Window {
  const { width, height } = mask;
  const whole = { x0: 0, y0: 0, width, height };
  const foreground = sumWithin(mask, whole);
  for (let attempt = 0; attempt < CROP_ATTEMPTS; attempt++) {
    const share = LEAST_CROP + (1 - LEAST_CROP) * uniform();
    const window = { width: Math.max(1, Math.round(share * width)), height: Math.max(1, Math.round(share * height)) };
    const x0 = Math.floor(uniform() * (width - window.width + 1));
    const y0 = Math.floor(uniform() * (height - window.height + 1));
    if (sumWithin(mask, { x0, y0, ...window }) >= LEAST_FOREGROUND * foreground) return { x0, y0, ...window };
  }
  return whole;
}

function sumWithin({ width: stride, data }: FloatImage<1>, { x0, y0, width, height }: Window): number {
  let sum = 0;
  for (let y = y0; y < y0 + height; y++)
    for (let i = y * stride + x0; i < y * stride + x0 + width; i++) sum += data[i] as number;
  return sum;
}

function crop<C extends number>(image: FloatImage<C>, { x0, y0, width, height }: Window): FloatImage<C> {
  if (width === image.width && height === image.height) return image;
  const { channels, data } = image;
  const out = newFloatImage(width, height, channels);
  for (let y = 0; y < height; y++) {
    const from = ((y0 + y) * image.width + x0) * channels;
    out.data.set(data.subarray(from, from + width * channels), y * width * channels);
  }
  return out;
}

/** The mirror image, left to right. */
export function flip<C extends number>(image: FloatImage<C>): FloatImage<C> {
  const { width, height, channels, data } = image;
  const out = newFloatImage(width, height, channels);
  for (let y = 0, p = 0; y < height; y++)
    for (let x = width - 1; x >= 0; x--)
      for (let c = 0, s = (y * width + x) * channels; c < channels; c++) out.data[p++] = data[s + c] as number;
  return out;
}

/** Brightness, contrast and saturation, all the same for every picture it is given. */
export function randomColours(uniform: () => number): (image: FloatImage<3>) => FloatImage<3> {
  const factor = (): number => 1 + COLOUR_RANGE * (2 * uniform() - 1);
  const [saturation, contrast, brightness] = [factor(), factor(), factor()];
  const change = (value: number, luminance: number): number => {
    const saturated = luminance + saturation * (value - luminance);
    const changed = ((saturated - 0.5) * contrast + 0.5) * brightness;
    return Math.min(1, Math.max(0, changed));
  };
  return ({ data: from, ...image }) => {
    const data = new Float32Array(from.length);
    for (let p = 0; p < data.length; p += 3) {
      const [r, g, b] = [from[p] as number, from[p + 1] as number, from[p + 2] as number];
      const luminance = 0.299 * r + 0.587 * g + 0.114 * b;
      data[p] = change(r, luminance);
      data[p + 1] = change(g, luminance);
      data[p + 2] = change(b, luminance);
    }
    return { ...image, data };
  };
}
