/**
 * Pictures in and out of files: PNG, JPEG, WebP. The format is told by content on reading and by the name's extension on
 * writing. Size is capped before anything is decoded.
 */
import { type FileHandle, open } from "node:fs/promises";
import { extname } from "node:path";
import { InputError, UsageError } from "../errors.js";
import { colourChannels, type Image } from "./image.js";
import { decodePng, encodePng } from "./png.node.js";
import { parseHeader } from "./png_chunks.js";
import type { Size } from "./resize.js";
import { assertLossyEncodable, decodeWithSharp, encodeJpeg, encodeWebp, sizeWithSharp } from "./sharp.node.js";
import { describeForeign, type ImageFormat, sniffFormat } from "./sniff.js";

export const DEFAULT_MAX_PIXELS = 100e6;
export const DEFAULT_QUALITY = 95;
/** Enough to know the format, and of a PNG the size. */
const SNIFF_BYTES = 33;

export interface DecodeOptions {
  /** Pictures with more pixels are refused before decoding. Default 100 million. */
  readonly maxPixels?: number;
  /** What messages call the picture; a path names itself. */
  readonly name?: string;
}

export interface EncodeOptions {
  /** 1 to 100, for JPEG and WebP (100 makes a WebP lossless). Default 95. */
  readonly quality?: number;
}

/**
 * Reads a picture upright, its colours as stored (nothing is converted), with ICC profile and EXIF.
 * @param source a path, or the file's bytes.
 * @throws InputError when it is missing, not a PNG, JPEG or WebP, damaged, truncated, animated, CMYK or too large.
 */
export async function decodeImage(source: string | Uint8Array, options: DecodeOptions = {}): Promise<Image> {
  const maxPixels = options.maxPixels ?? DEFAULT_MAX_PIXELS;
  const name = options.name ?? (typeof source === "string" ? source : "image");
  const bytes = typeof source === "string" ? await readPicture(source, name, maxPixels) : source;
  const format = requireFormat(bytes, name);
  const checkSize = (width: number, height: number): void => {
    if (width * height <= maxPixels) return;
    throw new InputError(
      `${name}: ${width} x ${height} = ${megapixels(width * height)} megapixels, more than the ${megapixels(maxPixels)} allowed; raise --max-pixels if you trust the file`,
    );
  };
  return format === "png" ? decodePng(bytes, name, checkSize) : decodeWithSharp(bytes, name, maxPixels, checkSize);
}

/**
 * Encodes a picture. PNG keeps depth and channels exactly; JPEG and WebP are 8-bit. ICC profile and EXIF are kept byte
 * for byte (a profile made for another number of channels is left out, as it would be invalid).
 * @throws UsageError when the format cannot hold the picture (transparency in a JPEG, a side too long).
 */
export async function encodeImage(image: Image, format: ImageFormat, options: EncodeOptions = {}): Promise<Uint8Array> {
  const quality = options.quality ?? DEFAULT_QUALITY;
  if (!(Number.isInteger(quality) && quality >= 1 && quality <= 100))
    throw new UsageError(`quality is a whole number from 1 to 100, got ${quality}`);
  const { icc, ...bare } = image;
  const writable: Image = icc && profileFits(icc, image) ? image : bare;
  if (format === "png") return encodePng(writable);
  return format === "jpeg" ? encodeJpeg(writable, { quality }) : encodeWebp(writable, { quality });
}

/** @throws UsageError where `encodeImage` would refuse a picture of this form: to be asked before it is computed. */
export async function assertEncodable(image: Image, format: ImageFormat, name = "the output"): Promise<void> {
  if (format !== "png") await assertLossyEncodable(image, format, name);
}

/** The format an output's name asks for. @throws UsageError on any other extension. */
export function formatOfPath(path: string): ImageFormat {
  const extension = extname(path).toLowerCase();
  if (extension === ".png") return "png";
  if (extension === ".jpg" || extension === ".jpeg") return "jpeg";
  if (extension === ".webp") return "webp";
  throw new UsageError(
    `${path}: cannot tell the output's format from ${extension || "a name without extension"}; use .png, .jpg or .webp`,
  );
}

/**
 * Width and height by the file's header, without decoding: quick, and no promise that the rest can be read. Of a PNG the
 * EXIF block is not looked for, which may turn it on decoding.
 * @throws InputError when the file is missing or not a PNG, JPEG or WebP
 */
export async function readSize(path: string): Promise<Size> {
  const head = await withPicture(path, path, async (_, bytes) => bytes);
  if (sniffFormat(head) !== "png") return sizeWithSharp(path, path);
  const { width, height } = parseHeader(head.subarray(16, 29), path);
  return { width, height };
}

const megapixels = (pixels: number): string => `${Math.ceil(pixels / 1e4) / 100}`;

/** An ICC header names its colour space at byte 16. */
function profileFits(icc: Uint8Array, image: Image): boolean {
  const space = String.fromCharCode(...icc.subarray(16, 20));
  return space === (colourChannels(image) === 1 ? "GRAY" : "RGB ");
}

function requireFormat(bytes: Uint8Array, name: string): ImageFormat {
  const format = sniffFormat(bytes);
  if (!format) throw new InputError(`${name}: ${describeForeign(bytes)}; expected a PNG, JPEG or WebP picture`);
  return format;
}

/** The file's bytes. Whether it is a picture, and not absurdly large, is judged before it is read whole. */
async function readPicture(path: string, name: string, maxPixels: number): Promise<Uint8Array> {
  return withPicture(path, name, async (file) => {
    const { size } = await file.stat();
    // 16-bit RGBA stored without compression, and room for metadata.
    if (size > maxPixels * 8.1 + (64 << 20))
      throw new InputError(`${name}: ${size} bytes is more than ${maxPixels} pixels (--max-pixels) can need`);
    return file.readFile();
  });
}

/** Opens a regular file whose first bytes are those of a picture, hands them to `use`, and closes it. */
async function withPicture<T>(
  path: string,
  name: string,
  use: (file: FileHandle, head: Uint8Array) => Promise<T>,
): Promise<T> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const stats = await file.stat();
    if (!stats.isFile())
      throw new InputError(`${name}: ${stats.isDirectory() ? "a folder" : "not a regular file"}; expected a picture`);
    const bytes = new Uint8Array(SNIFF_BYTES);
    const { bytesRead } = await file.read(bytes, 0, SNIFF_BYTES, 0);
    const head = bytes.subarray(0, bytesRead);
    requireFormat(head, name);
    return await use(file, head);
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    throw new InputError(`${name}: cannot be read (${reasonOf(cause)})`, { cause });
  } finally {
    await file?.close();
  }
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ENOENT") return "no such file";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  return cause instanceof Error ? cause.message : String(cause);
}
