/** Which part of a photograph a composite shows. */
import type { FloatImage } from "../../image/float.js";
import type { Image } from "../../image/image.js";
import type { Raster } from "./coco_mask.js";
import type { Draws } from "./random_draws.js";

/** In shares of the photograph's sides: it holds for the photograph, smaller copies of it and its mask. */
export interface Window {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export const WHOLE: Window = { x: 0, y: 0, width: 1, height: 1 };

/** The window's shorter side, of the largest that fits. */
const LEAST_SIDE = 0.5;
const MOST_ASPECT = 4 / 3;
/** Of the object that a window keeps. */
const LEAST_OBJECT = 0.8;
const TRIES = 8;

/** Nearly square in pixels; where there is an object it holds most of it, else it is the whole photograph. */
export function drawWindow(
  { width, height }: { readonly width: number; readonly height: number },
  object: Raster | null,
  draws: Draws,
): Window {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const aspect = draws.scale(1 / MOST_ASPECT, MOST_ASPECT);
    const side = draws.between(LEAST_SIDE, 1) * Math.min(width / Math.max(1, aspect), height * Math.min(1, aspect));
    const [w, h] = [(side * Math.max(1, aspect)) / width, side / Math.min(1, aspect) / height];
    const window = { x: draws.between(0, 1 - w), y: draws.between(0, 1 - h), width: w, height: h };
    if (!object || shareWithin(object, window) >= LEAST_OBJECT) return window;
  }
  return WHOLE;
}

interface Pixels {
  readonly x0: number;
  readonly y0: number;
  readonly width: number;
  readonly height: number;
}

export function pixelsOf(window: Window, width: number, height: number): Pixels {
  const along = (at: number, share: number, length: number): readonly [number, number] => {
    const size = Math.min(length, Math.max(1, Math.round(share * length)));
    return [Math.min(length - size, Math.round(at * length)), size];
  };
  const [x0, w] = along(window.x, window.width, width);
  const [y0, h] = along(window.y, window.height, height);
  return { x0, y0, width: w, height: h };
}

function shareWithin({ width, height, data }: Raster, window: Window): number {
  const { x0, y0, width: w, height: h } = pixelsOf(window, width, height);
  let [inside, all] = [0, 0];
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) {
      if (data[i] === 0) continue;
      all++;
      if (x >= x0 && x < x0 + w && y >= y0 && y < y0 + h) inside++;
    }
  return all === 0 ? 0 : inside / all;
}

/** Without metadata. */
export function cropImage(image: Image, window: Window): Image {
  const { channels, depth } = image;
  const { x0, y0, width, height } = pixelsOf(window, image.width, image.height);
  const data = image.data.slice(0, width * height * channels);
  for (let y = 0; y < height; y++) {
    const from = ((y0 + y) * image.width + x0) * channels;
    data.set(image.data.subarray(from, from + width * channels), y * width * channels);
  }
  return { width, height, channels, depth, data };
}

export function cropMask(raster: Raster, window: Window): FloatImage<1> {
  const { x0, y0, width, height } = pixelsOf(window, raster.width, raster.height);
  const data = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const from = (y0 + y) * raster.width + x0;
    data.set(raster.data.subarray(from, from + width), y * width);
  }
  return { width, height, channels: 1, data };
}

/** Left to right. @param channels interleaved */
export function flipSquare(pixels: Uint8Array, size: number, channels: number): Uint8Array {
  const out = new Uint8Array(pixels.length);
  for (let y = 0, p = 0; y < size; y++)
    for (let x = size - 1; x >= 0; x--)
      for (let c = 0, s = (y * size + x) * channels; c < channels; c++) out[p++] = pixels[s++] as number;
  return out;
}
