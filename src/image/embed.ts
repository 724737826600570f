/**
 * Puts a colour profile and EXIF into an encoded JPEG or WebP by hand. sharp can attach them too, but it converts the
 * pixels to the profile and rewrites the EXIF; here every byte of both survives.
 */
import { UsageError } from "../errors.js";

export interface Metadata {
  readonly icc?: Uint8Array | undefined;
  /** A TIFF stream without the "Exif\0\0" prefix. */
  readonly exif?: Uint8Array | undefined;
}

const EXIF_PREFIX = ascii("Exif\0\0");
const ICC_PREFIX = ascii("ICC_PROFILE\0");
/** A JPEG segment's length field counts itself and must fit in 16 bits. */
const MAX_SEGMENT = 65533;

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * Inserts APP1 (EXIF) and APP2 (ICC, in numbered pieces) where readers look for them: EXIF first, behind JFIF's APP0.
 * @throws UsageError when the EXIF is larger than JPEG can hold (64 KiB) or the profile needs more than 255 pieces.
 */
export function embedInJpeg(jpeg: Uint8Array, { icc, exif }: Metadata): Uint8Array {
  const inserted: Uint8Array[] = [];
  if (exif) {
    const length = EXIF_PREFIX.length + exif.length;
    if (length > MAX_SEGMENT)
      throw new UsageError(
        `the picture's EXIF (${exif.length} bytes) does not fit in a JPEG, which holds 64 KiB; write a PNG or WebP`,
      );
    inserted.push(segment(0xe1, [EXIF_PREFIX, exif]));
  }
  if (icc) {
    const piece = MAX_SEGMENT - ICC_PREFIX.length - 2;
    const count = Math.ceil(icc.length / piece);
    if (count > 255)
      throw new UsageError(`the colour profile (${icc.length} bytes) does not fit in a JPEG; write a PNG or WebP`);
    for (let i = 0; i < count; i++)
      inserted.push(segment(0xe2, [ICC_PREFIX, Uint8Array.of(i + 1, count), icc.subarray(i * piece, (i + 1) * piece)]));
  }
  const hasJfif = jpeg[2] === 0xff && jpeg[3] === 0xe0;
  const at = hasJfif ? 4 + (((jpeg[4] as number) << 8) | (jpeg[5] as number)) : 2;
  return concat([jpeg.subarray(0, at), ...inserted, jpeg.subarray(at)]);
}

function segment(marker: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = 2 + parts.reduce((sum, part) => sum + part.length, 0);
  return concat([Uint8Array.of(0xff, marker, length >> 8, length & 255), ...parts]);
}

const VP8X_ICC = 0x20;
const VP8X_ALPHA = 0x10;
const VP8X_EXIF = 0x08;

/** Rewrites a still WebP as an extended one: VP8X, ICCP, the pixels as they are, EXIF. */
export function embedInWebp(
  webp: Uint8Array,
  width: number,
  height: number,
  alpha: boolean,
  { icc, exif }: Metadata,
): Uint8Array {
  if (!icc && !exif) return webp;
  const pixels = riffChunks(webp).filter(({ type }) => type === "VP8 " || type === "VP8L" || type === "ALPH");
  const header = new Uint8Array(10);
  header[0] = (icc ? VP8X_ICC : 0) | (alpha ? VP8X_ALPHA : 0) | (exif ? VP8X_EXIF : 0);
  const view = new DataView(header.buffer);
  view.setUint32(4, (width - 1) | (((height - 1) & 0xff) << 24), true);
  view.setUint16(8, (height - 1) >> 8, true);
  const body = concat([
    ascii("WEBP"),
    riffChunk("VP8X", header),
    ...(icc ? [riffChunk("ICCP", icc)] : []),
    ...pixels.map(({ type, data }) => riffChunk(type, data)),
    ...(exif ? [riffChunk("EXIF", exif)] : []),
  ]);
  return riffChunk("RIFF", body);
}

interface RiffChunk {
  readonly type: string;
  readonly data: Uint8Array;
}

function riffChunks(file: Uint8Array): RiffChunk[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const chunks: RiffChunk[] = [];
  for (let at = 12; at + 8 <= file.length; ) {
    const length = view.getUint32(at + 4, true);
    const type = String.fromCharCode(...file.subarray(at, at + 4));
    chunks.push({ type, data: file.subarray(at + 8, at + 8 + length) });
    at += 8 + length + (length & 1);
  }
  return chunks;
}

function riffChunk(type: string, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(8 + data.length + (data.length & 1));
  out.set(ascii(type));
  new DataView(out.buffer).setUint32(4, data.length, true);
  out.set(data, 8);
  return out;
}
