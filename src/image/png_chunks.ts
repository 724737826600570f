/**
 * PNG as a list of chunks: what is checked before a decoder may allocate a single pixel, and what is inserted into the
 * encoder's output. The rules are those of the PNG specification (third edition), sections 5 and 11.
 */
import { crc32 } from "../crc32.js";
import { InputError } from "../errors.js";
import type { PngChunk } from "./image.js";

/** Half a gigabyte in libpng's 8 KiB pieces; millions of empty chunks are an attack on memory. */
const MAX_CHUNKS = 1 << 16;
const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

export interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly bitDepth: 1 | 2 | 4 | 8 | 16;
  /** 0 gray, 2 RGB, 3 palette, 4 gray+alpha, 6 RGBA. */
  readonly colorType: 0 | 2 | 3 | 4 | 6;
  readonly interlaced: boolean;
}

const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Adam7: where each pass starts and how far its pixels lie apart. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/**
 * Every chunk up to IEND, lengths and checksums verified; data are views, not copies. Bytes after IEND are ignored, as
 * browsers do.
 * @throws InputError on truncation, an impossible length, a bad checksum or a file that does not begin with IHDR.
 */
export function readChunks(bytes: Uint8Array, name: string): PngChunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const chunks: PngChunk[] = [];
  for (let at = SIGNATURE.length; ; ) {
    if (at + 12 > bytes.length) throw truncated(name, bytes.length);
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (!/^[A-Za-z]{4}$/.test(type))
      throw new InputError(`${name}: damaged PNG (no chunk where one should begin, byte ${at})`);
    if (length > 0x7fffffff) throw new InputError(`${name}: damaged PNG (chunk ${type} claims ${length} bytes)`);
    const end = at + 8 + length;
    if (end + 4 > bytes.length) throw truncated(name, bytes.length);
    if (view.getUint32(end) !== crc32(bytes.subarray(at + 4, end)))
      throw new InputError(`${name}: damaged PNG (checksum of chunk ${type} at byte ${at} does not match)`);
    if (chunks.length === 0 && type !== "IHDR")
      throw new InputError(`${name}: damaged PNG (it begins with ${type}, not IHDR)`);
    if (chunks.length === MAX_CHUNKS) throw new InputError(`${name}: damaged PNG (more than ${MAX_CHUNKS} chunks)`);
    chunks.push({ type, data: bytes.subarray(at + 8, end) });
    if (type === "IEND") return chunks;
    at = end + 4;
  }
}

const truncated = (name: string, length: number): InputError =>
  new InputError(
    `${name}: truncated PNG (it ends after ${length} bytes, before its IEND chunk); copy or download it again`,
  );

/** @throws InputError when a field has a value the specification does not allow. */
export function parseHeader(data: Uint8Array, name: string): PngHeader {
  if (data.length !== 13) throw new InputError(`${name}: damaged PNG (IHDR has ${data.length} bytes, not 13)`);
  const view = new DataView(data.buffer, data.byteOffset, 13);
  const width = view.getUint32(0);
  const height = view.getUint32(4);
  const [bitDepth, colorType, compression, filter, interlace] = data.subarray(8) as unknown as [
    number,
    number,
    number,
    number,
    number,
  ];
  if (width < 1 || height < 1 || width > 0x7fffffff || height > 0x7fffffff)
    throw new InputError(`${name}: damaged PNG (it claims ${width} x ${height} pixels)`);
  if (!DEPTHS[colorType]?.includes(bitDepth))
    throw new InputError(`${name}: damaged PNG (colour type ${colorType} with ${bitDepth} bits)`);
  if (compression !== 0 || filter !== 0 || interlace > 1)
    throw new InputError(`${name}: damaged PNG (unknown compression, filter or interlace method)`);
  return {
    width,
    height,
    bitDepth: bitDepth as PngHeader["bitDepth"],
    colorType: colorType as PngHeader["colorType"],
    interlaced: interlace === 1,
  };
}

/** Exactly how many bytes the image data must inflate to: every row of every pass with its filter byte. */
export function inflatedSize({ width, height, bitDepth, colorType, interlaced }: PngHeader): number {
  const bits = bitDepth * (SAMPLES[colorType] as number);
  const size = (w: number, h: number): number => (w > 0 && h > 0 ? h * (1 + Math.ceil((w * bits) / 8)) : 0);
  if (!interlaced) return size(width, height);
  return PASSES.reduce(
    (sum, [x, y, dx, dy]) => sum + size(Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)),
    0,
  );
}

/** A PNG file of these chunks, checksums made. */
export function writeChunks(chunks: readonly PngChunk[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(chunks.reduce((sum, chunk) => sum + 12 + chunk.data.length, SIGNATURE.length));
  const view = new DataView(out.buffer);
  out.set(SIGNATURE);
  let at = SIGNATURE.length;
  for (const { type, data } of chunks) {
    const end = at + 8 + data.length;
    view.setUint32(at, data.length);
    for (let i = 0; i < 4; i++) out[at + 4 + i] = type.charCodeAt(i);
    out.set(data, at + 8);
    view.setUint32(end, crc32(out.subarray(at + 4, end)));
    at = end + 4;
  }
  return out;
}
