/**
 * The picture as it is decoded, before anything is done to it: integer samples exactly as the file stores them, with
 * the metadata that has to survive. Nothing here converts colours: harmonization must be able to copy the background
 * bit for bit.
 */
import { InputError } from "../errors.js";

/** 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA. */
export type Channels = 1 | 2 | 3 | 4;

export interface Image {
  readonly width: number;
  readonly height: number;
  readonly channels: Channels;
  /** Bits a sample: 8 with a Uint8Array, 16 with a Uint16Array. */
  readonly depth: 8 | 16;
  /** Interleaved samples, row by row, top left first: [height, width, channels]. Alpha is not premultiplied. */
  readonly data: Uint8Array | Uint16Array;
  /** The ICC profile, byte for byte. Without one, sRGB is meant. */
  readonly icc?: Uint8Array;
  /** The EXIF block: a TIFF stream, without the "Exif\0\0" prefix that JPEG puts before it. */
  readonly exif?: Uint8Array;
  /** PNG's own colour chunks (cICP, sRGB, gAMA, cHRM), written back when the output is a PNG. */
  readonly pngColour?: readonly PngChunk[];
}

export interface PngChunk {
  readonly type: string;
  readonly data: Uint8Array;
}

/** A browser's `ImageData`, or anything shaped like it: 8-bit RGBA. */
export interface ImageDataLike {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray | Uint8Array;
}

/** The largest value of a sample: 255 or 65535. */
export const maxSample = (image: Pick<Image, "depth">): number => (image.depth === 16 ? 65535 : 255);

export const hasAlpha = (image: Pick<Image, "channels">): boolean => image.channels === 2 || image.channels === 4;

/** Colour samples a pixel: 1 for gray, 3 for colour. */
export const colourChannels = (image: Pick<Image, "channels">): 1 | 3 => (image.channels < 3 ? 1 : 3);

/** How an image's form reads in a message: `640x480 8-bit RGBA`. */
export function describeImage(image: Image): string {
  const form = ["", "gray", "gray+alpha", "RGB", "RGBA"][image.channels];
  return `${image.width}x${image.height} ${image.depth}-bit ${form}`;
}

/** An all-zero array of samples of the given depth. */
export const newSamples = (depth: 8 | 16, length: number): Uint8Array | Uint16Array =>
  depth === 16 ? new Uint16Array(length) : new Uint8Array(length);

/**
 * Accepts what a caller has: an `Image`, or `ImageData` (8-bit RGBA). The samples are shared, not copied.
 * @throws InputError when sizes, type and length of the samples do not fit together.
 */
export function toImage(source: Image | ImageDataLike, name = "image"): Image {
  const { width, height, data } = source;
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1)
    throw new InputError(`${name}: expected a width and height of at least 1 pixel, got ${width} x ${height}`);
  const channels = "channels" in source ? source.channels : 4;
  const depth = "depth" in source ? source.depth : 8;
  if (![1, 2, 3, 4].includes(channels)) throw new InputError(`${name}: expected 1 to 4 channels, got ${channels}`);
  const bytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  if (depth === 16 ? !(data instanceof Uint16Array) : !bytes || depth !== 8) {
    const got = Object.prototype.toString.call(data).slice(8, -1);
    throw new InputError(
      `${name}: expected 8-bit samples in a Uint8Array or 16-bit in a Uint16Array, got ${depth}-bit in ${got}`,
    );
  }
  if (data.length !== width * height * channels)
    throw new InputError(
      `${name}: ${width} x ${height} pixels of ${channels} channels need ${width * height * channels} samples, got ${data.length}`,
    );
  if (data instanceof Uint8ClampedArray)
    return { width, height, channels, depth: 8, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
  return { ...source, channels, depth, data };
}

/** As 8-bit RGBA for a canvas: gray is spread, 16 bits are rounded to 8, a missing alpha is opaque. */
export function toImageData(image: Image): { width: number; height: number; data: Uint8ClampedArray<ArrayBuffer> } {
  const { width, height, channels, data } = image;
  const out = new Uint8ClampedArray(width * height * 4);
  const colour = colourChannels(image);
  const scale = 255 / maxSample(image);
  for (let p = 0, s = 0; p < out.length; p += 4, s += channels) {
    for (let c = 0; c < 3; c++) out[p + c] = (data[s + (colour === 1 ? 0 : c)] as number) * scale;
    out[p + 3] = hasAlpha(image) ? (data[s + colour] as number) * scale : 255;
  }
  return { width, height, data: out };
}

/** Copies the chosen channels, in that order: `selectChannels(rgba, [0, 1, 2])` drops alpha. Metadata stays. */
export function selectChannels(image: Image, order: readonly number[]): Image {
  const { width, height, channels, depth, data } = image;
  const count = order.length as Channels;
  const out = newSamples(depth, width * height * count);
  for (let k = 0; k < count; k++) {
    const from = order[k] as number;
    for (let p = k, s = from; p < out.length; p += count, s += channels) out[p] = data[s] as number;
  }
  return { ...image, channels: count, data: out };
}

/** The image without its alpha channel; itself when it has none. */
export const dropAlpha = (image: Image): Image =>
  hasAlpha(image) ? selectChannels(image, colourChannels(image) === 1 ? [0] : [0, 1, 2]) : image;

/** The alpha channel as a gray image; null when the image has none. */
export const alphaOf = (image: Image): Image | null =>
  hasAlpha(image) ? selectChannels(image, [image.channels - 1]) : null;

/** Gray spread to RGB, alpha kept; itself when it is colour already. */
export function grayToRgb(image: Image): Image {
  if (image.channels >= 3) return image;
  return selectChannels(image, image.channels === 1 ? [0, 0, 0] : [0, 0, 0, 1]);
}

/** The same picture at 8 bits, rounded; itself when it is 8-bit already. */
export function to8Bit(image: Image): Image {
  if (image.depth === 8) return image;
  const data = new Uint8Array(image.data.length);
  for (let i = 0; i < data.length; i++) data[i] = Math.round((image.data[i] as number) / 257);
  return { ...image, depth: 8, data };
}
