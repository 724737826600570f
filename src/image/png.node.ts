/**
 * PNG through pngjs, behind a guard. pngjs trusts what it is given: it inflates interlaced images without limit, accepts
 * some truncated files and spreads everything to RGBA. So the chunks are checked here, the image data are inflated once
 * into nothing to see that they are exactly as long as the header says, and only then pngjs gets a file: one that holds
 * nothing but the pixels.
 *
 * Colour: samples are passed through as stored, and nothing is gamma-corrected. iCCP becomes `icc`; cICP, sRGB, gAMA and
 * cHRM are carried verbatim and written back. A colour key (tRNS on gray or RGB) becomes an alpha channel here, because
 * pngjs would blacken the keyed pixels.
 */
import { createInflate, deflateSync, inflateSync } from "node:zlib";
import { PNG } from "pngjs";
import { InputError } from "../errors.js";
import { normalizeExif, readOrientation } from "./exif.js";
import { type Channels, hasAlpha, type Image, newSamples, type PngChunk } from "./image.js";
import { applyOrientation } from "./orientation.js";
import { inflatedSize, type PngHeader, parseHeader, readChunks, writeChunks } from "./png_chunks.js";

/** Metadata blocks larger than this are an attack or a mistake. */
const MAX_PROFILE_BYTES = 16 << 20;
const COLOUR_CHUNKS: ReadonlySet<string> = new Set(["cICP", "sRGB", "gAMA", "cHRM"]);
const GRAY = 0;
const RGB = 2;
const PALETTE = 3;

/**
 * Decodes a PNG of any colour type and depth, upright. Gray stays gray; palettes become RGB or RGBA; 1, 2 and 4 bits
 * become 8; 16 stay 16.
 * @throws InputError on more pixels than `maxPixels` (before anything is inflated) and on every kind of damage.
 */
export async function decodePng(
  bytes: Uint8Array,
  name: string,
  checkSize: (width: number, height: number) => void,
): Promise<Image> {
  const chunks = readChunks(bytes, name);
  const header = parseHeader((chunks[0] as PngChunk).data, name);
  checkSize(header.width, header.height);
  const find = (type: string): Uint8Array | undefined => chunks.find((chunk) => chunk.type === type)?.data;
  const frames = find("acTL");
  if (frames && frames.length === 8 && new DataView(frames.buffer, frames.byteOffset).getUint32(0) > 1)
    throw new InputError(`${name}: an animated PNG; save the frame you mean as a picture of its own`);

  const palette = find("PLTE");
  if (header.colorType === PALETTE && !palette)
    throw new InputError(`${name}: damaged PNG (a palette image without PLTE)`);
  const transparency = find("tRNS");
  const pixels = chunks.filter((chunk) => chunk.type === "IDAT");
  await checkInflatedSize(pixels, header, name);

  const kept = [chunks[0] as PngChunk];
  if (header.colorType === PALETTE && palette) {
    kept.push({ type: "PLTE", data: palette });
    if (transparency) kept.push({ type: "tRNS", data: transparency });
  }
  kept.push(...pixels, { type: "IEND", data: new Uint8Array(0) });
  const file = writeChunks(kept);
  let rgba: Uint8Array | Uint16Array;
  try {
    const wide = header.bitDepth === 16;
    rgba = PNG.sync.read(Buffer.from(file.buffer), { skipRescale: wide, checkCRC: false }).data;
    // At 16 bits the array is a Uint16Array, whatever the declaration says.
    if (wide !== rgba instanceof Uint16Array) throw new Error("unexpected sample type");
  } catch (cause) {
    throw new InputError(`${name}: damaged PNG (${cause instanceof Error ? cause.message : String(cause)})`, { cause });
  }
  const image = pack(rgba, header, transparency, name);

  const exif = find("eXIf");
  const icc = readProfile(find("iCCP"), name);
  const pngColour = chunks
    .filter((chunk) => COLOUR_CHUNKS.has(chunk.type))
    .map(({ type, data }) => ({ type, data: data.slice() }));
  const upright = exif ? applyOrientation(image, readOrientation(exif)) : image;
  return {
    ...upright,
    ...(icc && { icc }),
    ...(exif && { exif: normalizeExif(exif) }),
    ...(pngColour.length > 0 && { pngColour }),
  };
}

/** Inflates the image data piece by piece, keeping nothing, and compares the length with the header's. */
async function checkInflatedSize(pixels: readonly PngChunk[], header: PngHeader, name: string): Promise<void> {
  const expected = inflatedSize(header);
  const inflate = createInflate({ chunkSize: 1 << 18 });
  let size = 0;
  try {
    for (const { data } of pixels) inflate.write(data);
    inflate.end();
    for await (const part of inflate) {
      size += (part as Buffer).length;
      if (size > expected) break;
    }
  } catch (cause) {
    throw new InputError(
      `${name}: damaged PNG (its compressed pixels are broken: ${cause instanceof Error ? cause.message : String(cause)})`,
      { cause },
    );
  } finally {
    inflate.destroy();
  }
  if (size !== expected)
    throw new InputError(
      `${name}: damaged PNG (its pixels inflate to ${size > expected ? "more" : "fewer"} bytes than the ${expected} of its size)`,
    );
}

/** pngjs's RGBA in the file's own channels. */
function pack(
  rgba: Uint8Array | Uint16Array,
  header: PngHeader,
  transparency: Uint8Array | undefined,
  name: string,
): Image {
  const { width, height, colorType, bitDepth } = header;
  const depth = bitDepth === 16 ? 16 : 8;
  const gray = colorType === GRAY || colorType === 4;
  const alpha = colorType >= 4 || transparency !== undefined;
  const channels = ((gray ? 1 : 3) + (alpha ? 1 : 0)) as Channels;
  const key = colorType === GRAY || colorType === RGB ? colourKey(header, transparency, name) : null;
  const opaque = depth === 16 ? 65535 : 255;
  const colour = gray ? 1 : 3;
  const data = newSamples(depth, width * height * channels);
  for (let p = 0, s = 0; p < data.length; p += channels, s += 4) {
    for (let c = 0; c < colour; c++) data[p + c] = rgba[s + c] as number;
    if (!alpha) continue;
    const keyed = key !== null && rgba[s] === key[0] && rgba[s + 1] === key[1] && rgba[s + 2] === key[2];
    data[p + colour] = key === null ? (rgba[s + 3] as number) : keyed ? 0 : opaque;
  }
  return { width, height, channels, depth, data };
}

/** The transparent colour of a gray or RGB image, scaled as pngjs scales samples. */
function colourKey(
  { colorType, bitDepth }: PngHeader,
  transparency: Uint8Array | undefined,
  name: string,
): readonly number[] | null {
  if (!transparency) return null;
  const count = colorType === GRAY ? 1 : 3;
  if (transparency.length !== 2 * count)
    throw new InputError(`${name}: damaged PNG (tRNS has ${transparency.length} bytes)`);
  const view = new DataView(transparency.buffer, transparency.byteOffset, transparency.length);
  const key = [0, 1, 2].map((c) => {
    const sample = view.getUint16(count === 1 ? 0 : 2 * c);
    return bitDepth >= 8 ? sample : Math.floor((sample * 255) / (2 ** bitDepth - 1) + 0.5);
  });
  return key;
}

function readProfile(chunk: Uint8Array | undefined, name: string): Uint8Array | undefined {
  if (!chunk) return undefined;
  const nameEnd = chunk.indexOf(0);
  try {
    if (nameEnd < 0 || chunk[nameEnd + 1] !== 0) throw new Error("unknown compression");
    return new Uint8Array(inflateSync(chunk.subarray(nameEnd + 2), { maxOutputLength: MAX_PROFILE_BYTES }));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InputError(
      `${name}: the PNG's colour profile (iCCP) cannot be read: ${reason}; remove it or save the file anew`,
      { cause },
    );
  }
}

/** Encodes losslessly in the image's own channels and depth, with profile, colour chunks and EXIF. */
export function encodePng(image: Image): Uint8Array {
  const { width, height, channels, depth, data } = image;
  const colorType = ([0, 0, 4, 2, 6] as const)[channels];
  const png = new PNG();
  png.width = width;
  png.height = height;
  // pngjs reads 16-bit samples from the start of the underlying buffer, so a view into a larger one is copied first.
  const whole = data.byteOffset === 0 && data.byteLength === data.buffer.byteLength ? data : data.slice();
  png.data = Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength);
  const encoded = PNG.sync.write(png, {
    bitDepth: depth,
    colorType,
    inputColorType: colorType,
    inputHasAlpha: hasAlpha(image),
    // Measured on 12 megapixels: Paeth alone at level 3 is smaller and faster than pngjs's choice a row at level 9.
    filterType: 4,
    deflateLevel: 3,
    deflateStrategy: 0,
  });
  const [header, ...rest] = readChunks(encoded, "output");
  return writeChunks([header as PngChunk, ...metadataChunks(image), ...rest]);
}

function metadataChunks({ icc, exif, pngColour }: Image): PngChunk[] {
  const chunks: PngChunk[] = [...(pngColour ?? [])];
  // The specification lets a file have a profile or an sRGB chunk, not both.
  if (icc) {
    const label = new TextEncoder().encode("ICC profile\0\0");
    const packed = deflateSync(icc);
    const data = new Uint8Array(label.length + packed.length);
    data.set(label);
    data.set(packed, label.length);
    return [...chunks.filter(({ type }) => type !== "sRGB"), { type: "iCCP", data }, ...exifChunk(exif)];
  }
  return [...chunks, ...exifChunk(exif)];
}

const exifChunk = (exif: Uint8Array | undefined): PngChunk[] => (exif ? [{ type: "eXIf", data: exif }] : []);
