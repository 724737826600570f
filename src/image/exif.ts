/**
 * EXIF is a TIFF stream. Two things in it become lies once the pixels are turned and changed: the orientation and the
 * embedded thumbnail. Everything else is carried along untouched, so nothing is re-encoded: the block is patched in place.
 */
import type { Orientation } from "./orientation.js";

const ORIENTATION = 0x0112;
const THUMBNAIL_OFFSET = 0x0201;
const THUMBNAIL_LENGTH = 0x0202;
const SHORT = 3;

interface Directory {
  /** Where each tag's 12-byte entry starts. */
  readonly entries: ReadonlyMap<number, number>;
  /** Where the offset of the next directory is stored. */
  readonly nextAt: number;
}

/** The orientation tag; 1 where it is missing or the block cannot be read. */
export function readOrientation(exif: Uint8Array): Orientation {
  const tiff = openTiff(exif);
  const entry = tiff ? readDirectory(tiff, tiff.first)?.entries.get(ORIENTATION) : undefined;
  if (!tiff || entry === undefined || tiff.view.getUint16(entry + 2, tiff.little) !== SHORT) return 1;
  const value = tiff.view.getUint16(entry + 8, tiff.little);
  return value >= 1 && value <= 8 ? (value as Orientation) : 1;
}

/** A copy for pixels that stand upright and were changed: orientation 1, thumbnail unlinked and blanked. */
export function normalizeExif(exif: Uint8Array): Uint8Array {
  const out = exif.slice();
  const tiff = openTiff(out);
  const main = tiff && readDirectory(tiff, tiff.first);
  if (!tiff || !main) return out;
  const { view, little } = tiff;
  const orientation = main.entries.get(ORIENTATION);
  if (orientation !== undefined && view.getUint16(orientation + 2, little) === SHORT)
    view.setUint16(orientation + 8, 1, little);

  const thumbnail = main.nextAt + 4 <= out.length ? readDirectory(tiff, view.getUint32(main.nextAt, little)) : null;
  if (thumbnail) {
    const at = thumbnail.entries.get(THUMBNAIL_OFFSET);
    const length = thumbnail.entries.get(THUMBNAIL_LENGTH);
    if (at !== undefined && length !== undefined) {
      const start = view.getUint32(at + 8, little);
      const end = start + view.getUint32(length + 8, little);
      if (start >= 8 && end <= out.length) out.fill(0, start, end);
    }
    view.setUint32(main.nextAt, 0, little);
  }
  return out;
}

/** JPEG and some WebP writers put "Exif\0\0" before the TIFF stream; PNG does not. */
export function stripExifPrefix(block: Uint8Array): Uint8Array {
  const prefixed = block[0] === 0x45 && block[1] === 0x78 && block[2] === 0x69 && block[3] === 0x66 && block[4] === 0;
  return prefixed ? block.subarray(6) : block;
}

interface Tiff {
  readonly view: DataView;
  readonly little: boolean;
  readonly first: number;
}

function openTiff(bytes: Uint8Array): Tiff | null {
  if (bytes.length < 8) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return null;
  const little = order === 0x4949;
  return view.getUint16(2, little) === 42 ? { view, little, first: view.getUint32(4, little) } : null;
}

function readDirectory({ view, little }: Tiff, at: number): Directory | null {
  if (at < 8 || at + 2 > view.byteLength) return null;
  const nextAt = at + 2 + 12 * view.getUint16(at, little);
  if (nextAt > view.byteLength) return null;
  const entries = new Map<number, number>();
  for (let entry = at + 2; entry < nextAt; entry += 12) entries.set(view.getUint16(entry, little), entry);
  return { entries, nextAt };
}
