/**
 * JPEG and WebP through sharp (libvips), an optional package: it is loaded on first use, so PNG works without it.
 * sharp is kept from touching colours: `ignoreIcc` on reading, raw samples in and out, metadata embedded by hand.
 */
import { InputError, UsageError } from "../errors.js";
import { embedInJpeg, embedInWebp } from "./embed.js";
import { normalizeExif, readOrientation, stripExifPrefix } from "./exif.js";
import { type Channels, dropAlpha, hasAlpha, type Image, maxSample, to8Bit } from "./image.js";
import { applyOrientation } from "./orientation.js";
import type { Size } from "./resize.js";

type Sharp = typeof import("sharp");
type SharpFactory = Sharp["default"];

/** @param otherwise what does without it */
async function loadSharp(purpose: string, otherwise = ", or use PNG"): Promise<SharpFactory> {
  try {
    return (await import("sharp")).default;
  } catch (cause) {
    throw new UsageError(
      `${purpose} needs the optional package sharp, which is not installed here: run \`npm install sharp\`${otherwise}`,
      { cause },
    );
  }
}

/**
 * Decodes a JPEG or still WebP: 8 bits, upright, colours as stored.
 * @throws InputError on more pixels than `maxPixels` (before decoding), damage, CMYK and animations.
 */
export async function decodeWithSharp(
  bytes: Uint8Array,
  name: string,
  maxPixels: number,
  checkSize: (width: number, height: number) => void,
): Promise<Image> {
  const sharp = await loadSharp(`reading ${name}`);
  try {
    // The header is read without sharp's own limit, so that the refusal can give the size.
    const header = sharp(bytes, { limitInputPixels: false });
    const { width, height, channels, space, pages, icc, exif } = await header.metadata();
    checkSize(width, height);
    if ((pages ?? 1) > 1)
      throw new InputError(`${name}: an animation of ${pages} frames; save the frame you mean as a picture of its own`);
    if (space === "cmyk")
      throw new InputError(
        `${name}: a CMYK picture; convert it to RGB first (its print colours have no exact RGB values)`,
      );
    // sharp's own default, "warning", refuses what many cameras write and libjpeg only grumbles about.
    const input = sharp(bytes, { ignoreIcc: true, failOn: "error", limitInputPixels: maxPixels });
    const raw = (channels ?? 3) < 3 ? input.toColourspace("b-w") : input.toColourspace("srgb");
    const { data, info } = await raw.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
    const image: Image = {
      width: info.width,
      height: info.height,
      channels: info.channels as Channels,
      depth: 8,
      data: new Uint8Array(data.buffer, data.byteOffset, data.length),
    };
    const block = exif && stripExifPrefix(exif);
    const upright = block ? applyOrientation(image, readOrientation(block)) : image;
    return {
      ...upright,
      ...(icc && { icc: new Uint8Array(icc) }),
      ...(block && { exif: normalizeExif(new Uint8Array(block)) }),
    };
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    throw damaged(name, cause);
  }
}

/** A picture made smaller while it was decoded, and the size of the whole one. */
export interface Reduced {
  /** 8-bit RGB, upright, in sRGB. */
  readonly image: Image;
  readonly original: Size;
}

export interface ReduceOptions {
  /** The shorter side is to be no longer; a picture that is smaller stays as it is. */
  readonly shortest: number;
  readonly maxPixels: number;
}

/**
 * Decodes a JPEG, PNG, WebP or TIFF of any depth for looking at: its ICC profile is applied, so that colours are sRGB's,
 * and alpha left out. JPEGs are reduced while their blocks are decoded, several times as fast as afterwards.
 * @throws InputError on damage and on more than `maxPixels` (before decoding)
 */
export async function decodeReduced(path: string, { shortest, maxPixels }: ReduceOptions): Promise<Reduced> {
  const sharp = await loadSharp(`reading ${path}`, "");
  const { width, height, isWide } = await describeWithSharp(path);
  if (width * height > maxPixels) {
    throw new InputError(`${path}: ${width} x ${height} pixels are more than the ${maxPixels} allowed`);
  }
  const scale = Math.min(1, shortest / Math.min(width, height));
  const side = (length: number): number => Math.max(1, Math.round(length * scale));
  try {
    const reduced = sharp(path, { failOn: "error", limitInputPixels: maxPixels })
      .autoOrient()
      .removeAlpha()
      .resize(side(width), side(height), { fit: "fill" })
      .toColourspace("srgb");
    // sharp brings 16-bit colours with a profile to Display P3 and calls them sRGB, unless a profile is asked for.
    const { data, info } = await (isWide ? reduced.withIccProfile("srgb") : reduced)
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`${info.channels} channels where three were asked for`);
    const samples = new Uint8Array(data.buffer, data.byteOffset, data.length);
    return {
      image: { width: info.width, height: info.height, channels: 3, depth: 8, data: samples },
      original: { width, height },
    };
  } catch (cause) {
    throw damaged(path, cause);
  }
}

/** A box of an 8-bit picture as a square of `size`, squeezed where it must be. */
export async function cropToSquare(
  image: Image,
  {
    x0,
    y0,
    width,
    height,
  }: { readonly x0: number; readonly y0: number; readonly width: number; readonly height: number },
  size: number,
): Promise<Image> {
  const whole = await rawInput(image, "cropping");
  const { data } = await whole
    .extract({ left: x0, top: y0, width, height })
    .resize(size, size, { fit: "fill", kernel: "cubic" })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const samples = new Uint8Array(data.buffer, data.byteOffset, data.length);
  return { width: size, height: size, channels: image.channels, depth: 8, data: samples };
}

/** Whether a picture has an alpha channel, by its header alone. @throws InputError */
export async function hasAlphaChannel(path: string): Promise<boolean> {
  const sharp = await loadSharp(`reading ${path}`, "");
  try {
    return (await sharp(path, { limitInputPixels: false }).metadata()).hasAlpha === true;
  } catch (cause) {
    throw damaged(path, cause);
  }
}

/** 8-bit samples as PNG, little compressed: several times as fast as `encodeImage`, and a tenth larger. */
export async function encodePngQuickly(image: Image): Promise<Uint8Array> {
  const encoder = await rawInput(image, "writing PNG");
  const colours = encoder.toColourspace(image.channels === 1 ? "b-w" : "srgb");
  return encode("PNG", () => colours.png({ compressionLevel: 2, adaptiveFiltering: true }).toBuffer());
}

/** Width and height of a JPEG or WebP as it will be decoded, from its header alone. @throws InputError */
export async function sizeWithSharp(path: string, name: string): Promise<Size> {
  const { width, height } = await describeWithSharp(path, name);
  return { width, height };
}

/** The size, and whether there are 16 bits a sample and a profile. */
async function describeWithSharp(path: string, name = path): Promise<Size & { readonly isWide: boolean }> {
  const sharp = await loadSharp(`reading ${name}`);
  try {
    const header = await sharp(path, { limitInputPixels: false }).metadata();
    const { width, height, orientation = 1 } = header;
    const isWide = header.depth === "ushort" && header.hasProfile === true;
    return orientation >= 5 ? { width: height, height: width, isWide } : { width, height, isWide };
  } catch (cause) {
    throw damaged(name, cause);
  }
}

function damaged(name: string, cause: unknown): InputError {
  const reason = cause instanceof Error ? cause.message.replace(/\s+/g, " ") : String(cause);
  return new InputError(`${name}: damaged or unreadable picture (${reason})`, { cause });
}

export interface LossyOptions {
  /** 1 to 100. */
  readonly quality: number;
}

/** Encodes 8-bit gray or RGB as JPEG without chroma subsampling; an alpha channel must be opaque. */
export async function encodeJpeg(image: Image, { quality }: LossyOptions): Promise<Uint8Array> {
  if (isTransparent(image)) throw new UsageError(TRANSPARENT_JPEG);
  const opaque = to8Bit(dropAlpha(image));
  const encoder = await rawInput(opaque, "writing JPEG");
  const encoded = await encode("JPEG", () =>
    encoder
      .toColourspace(opaque.channels === 1 ? "b-w" : "srgb")
      .jpeg({ quality, chromaSubsampling: "4:4:4" })
      .toBuffer(),
  );
  return embedInJpeg(encoded, image);
}

/** Encodes as WebP, at quality 100 losslessly. Colours under transparent pixels are kept. */
export async function encodeWebp(image: Image, { quality }: LossyOptions): Promise<Uint8Array> {
  const encoder = await rawInput(to8Bit(image), "writing WebP");
  const encoded = await encode("WebP", () =>
    encoder.webp({ quality, lossless: quality === 100, exact: true }).toBuffer(),
  );
  return embedInWebp(encoded, image.width, image.height, hasAlpha(image), image);
}

async function rawInput({ data, width, height, channels }: Image, purpose: string): Promise<ReturnType<SharpFactory>> {
  const sharp = await loadSharp(purpose);
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: false });
}

async function encode(format: string, run: () => Promise<Buffer>): Promise<Buffer> {
  try {
    return await run();
  } catch (cause) {
    // What remains possible on valid samples is a side too long for the format.
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`the picture cannot be written as ${format} (${reason}); PNG has no limit on size`, { cause });
  }
}

const TRANSPARENT_JPEG = "JPEG has no transparency, and the picture has some: write a PNG or WebP";
const MAX_SIDE = { jpeg: 65535, webp: 16383 } as const;

/**
 * Throws what encoding such a picture would, without encoding it: to be asked before the picture is computed.
 * @throws UsageError for transparency in a JPEG, a side too long, or sharp missing.
 */
export async function assertLossyEncodable(image: Image, format: keyof typeof MAX_SIDE, name: string): Promise<void> {
  if (format === "jpeg" && isTransparent(image)) throw new UsageError(`${name}: ${TRANSPARENT_JPEG}`);
  const side = Math.max(image.width, image.height);
  if (side > MAX_SIDE[format])
    throw new UsageError(`${name}: a side of ${side} pixels is over the format's ${MAX_SIDE[format]}; write a PNG`);
  await loadSharp(`writing ${name}`);
}

function isTransparent(image: Image): boolean {
  if (!hasAlpha(image)) return false;
  const max = maxSample(image);
  for (let i = image.channels - 1; i < image.data.length; i += image.channels) if (image.data[i] !== max) return true;
  return false;
}
