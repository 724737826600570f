/**
 * Pictures for the image tests: a PNG writer that knows every colour type, depth and interlacing (pngjs writes only
 * some), EXIF and ICC blocks, and pixel patterns that Python can repeat.
 */
import { deflateSync } from "node:zlib";
import type { Channels, Image } from "../src/image/image.js";
import { writeChunks } from "../src/image/png_chunks.js";

export interface PngSpec {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: number;
  readonly colorType: number;
  readonly interlaced?: boolean;
  /** Sample c of pixel (x, y), in the file's own range. */
  readonly sample: (x: number, y: number, c: number) => number;
  readonly before?: readonly { type: string; data: Uint8Array }[];
}

const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

export function ihdr({ width, height, bitDepth, colorType, interlaced }: Omit<PngSpec, "sample">): {
  type: string;
  data: Uint8Array;
} {
  const data = new Uint8Array(13);
  const view = new DataView(data.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  data.set([bitDepth, colorType, 0, 0, interlaced ? 1 : 0], 8);
  return { type: "IHDR", data };
}

/** The filtered (type 0) scanlines of a PNG, before compression. */
export function scanlines({ width, height, bitDepth, colorType, interlaced, sample }: PngSpec): Uint8Array {
  const channels = SAMPLES[colorType] as number;
  const bytes: number[] = [];
  for (const [x0, y0, dx, dy] of interlaced ? ADAM7 : ([[0, 0, 1, 1]] as const)) {
    for (let y = y0; y < height && x0 < width; y += dy) {
      bytes.push(0);
      let bits = 0;
      let filled = 0;
      for (let x = x0; x < width; x += dx)
        for (let c = 0; c < channels; c++) {
          const value = sample(x, y, c);
          if (bitDepth === 16) bytes.push(value >> 8, value & 255);
          else {
            bits = (bits << bitDepth) | value;
            filled += bitDepth;
            if (filled === 8) {
              bytes.push(bits);
              bits = 0;
              filled = 0;
            }
          }
        }
      if (filled > 0) bytes.push(bits << (8 - filled));
    }
  }
  return Uint8Array.from(bytes);
}

export function makePng(spec: PngSpec): Uint8Array {
  return writeChunks([
    ihdr(spec),
    ...(spec.before ?? []),
    { type: "IDAT", data: deflateSync(scanlines(spec)) },
    { type: "IEND", data: new Uint8Array(0) },
  ]);
}

/** The pattern of the Python side: `(5x + 3y + 40c + 3 (xy(c+1) mod 29) + 50 ((x//4 + y//3) mod 2)) mod 256`. */
export const patternSample = (x: number, y: number, c: number): number =>
  (x * 5 + y * 3 + c * 40 + ((x * y * (c + 1)) % 29) * 3 + (((x >> 2) + Math.floor(y / 3)) % 2) * 50) % 256;

export function pattern(width: number, height: number, channels: Channels = 3, depth: 8 | 16 = 8): Image {
  const data = depth === 16 ? new Uint16Array(width * height * channels) : new Uint8Array(width * height * channels);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++, i++)
        data[i] = depth === 16 ? patternSample(x, y, c) * 256 + ((x * 37 + y * 11) % 256) : patternSample(x, y, c);
  return { width, height, channels, depth, data };
}

/** A TIFF block with a maker's name, an orientation, and a second directory with a thumbnail. */
export function makeExif(orientation: number, { little = true, thumbnail = true } = {}): Uint8Array {
  const bytes = new Uint8Array(96);
  const view = new DataView(bytes.buffer);
  const entry = (at: number, tag: number, type: number, count: number, value: number): void => {
    view.setUint16(at, tag, little);
    view.setUint16(at + 2, type, little);
    view.setUint32(at + 4, count, little);
    if (type === 3) view.setUint16(at + 8, value, little);
    else view.setUint32(at + 8, value, little);
  };
  bytes.set(little ? [0x49, 0x49] : [0x4d, 0x4d]);
  view.setUint16(2, 42, little);
  view.setUint32(4, 8, little);
  view.setUint16(8, 2, little);
  entry(10, 0x010f, 2, 6, 38); // Make
  entry(22, 0x0112, 3, 1, orientation);
  view.setUint32(34, thumbnail ? 44 : 0, little);
  bytes.set(new TextEncoder().encode("Camer\0"), 38);
  view.setUint16(44, 2, little);
  entry(46, 0x0201, 4, 1, 80);
  entry(58, 0x0202, 4, 1, 16);
  view.setUint32(70, 0, little);
  bytes.fill(0xab, 80, 96);
  return bytes;
}

/** A block that passes for an ICC profile, even with libpng: a right header, no tags, arbitrary contents. Length: a multiple of 4. */
export function makeIcc(length: number, space: "RGB " | "GRAY" = "RGB "): Uint8Array {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 255);
  const view = new DataView(bytes.buffer);
  bytes.fill(0, 0, 132);
  view.setUint32(0, length);
  view.setUint32(8, 0x04300000);
  bytes.set(new TextEncoder().encode("mntr"), 12);
  bytes.set(new TextEncoder().encode(space), 16);
  bytes.set(new TextEncoder().encode("XYZ "), 20);
  bytes.set(new TextEncoder().encode("acsp"), 36);
  [0xf6d6, 0x10000, 0xd32d].forEach((value, i) => {
    view.setUint32(68 + 4 * i, value);
  });
  return bytes;
}
