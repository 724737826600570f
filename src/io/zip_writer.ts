/** Zip archives of stored entries, each entry's data aligned to 64 bytes as PyTorch lays them out, so it can map them. */

import { crc32 } from "../crc32.js";
import { WeightsError } from "../errors.js";

const ALIGNMENT = 64;
/** PyTorch's id ("FB") of the extra field that pads an entry. */
const PADDING_FIELD = 0x4246;
const VERSION = 20;
const UTF8_NAMES = 0x800;
/** 1 January 1980, the format's first day: the same tensors give the same file. */
const DATE = 0x21;
const LIMIT = 0xffffffff;

/** The bytes of an archive of `files`, in their order. Throws WeightsError from 4 GiB or 65,535 entries up. */
export function writeStoredZip(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const encoder = new TextEncoder();
  let offset = 0;
  let directorySize = 0;
  const entries = [...files].map(([path, data]) => {
    const name = encoder.encode(path);
    const unpadded = offset + 30 + name.length + 4;
    const start = Math.ceil(unpadded / ALIGNMENT) * ALIGNMENT;
    const entry = { name, data, offset, start, padding: start - unpadded, crc: crc32(data) };
    offset = start + data.length;
    directorySize += 46 + name.length;
    return entry;
  });
  const total = offset + directorySize + 22;
  if (total >= LIMIT || entries.length >= 0xffff) {
    throw new WeightsError(
      `zip: ${entries.length} entries of ${total} bytes need zip64, which is not written; use safetensors`,
    );
  }

  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  /** The fields that local headers and directory records share, from the version needed to the length of the extra field. */
  const common = (at: number, { name, data, crc }: (typeof entries)[number], extra: number) => {
    const fields16 = [VERSION, UTF8_NAMES, 0, 0, DATE];
    fields16.forEach((value, i) => {
      view.setUint16(at + 2 * i, value, true);
    });
    const fields32 = [crc, data.length, data.length];
    fields32.forEach((value, i) => {
      view.setUint32(at + 10 + 4 * i, value, true);
    });
    view.setUint16(at + 22, name.length, true);
    view.setUint16(at + 24, extra, true);
  };
  let at = offset;
  for (const entry of entries) {
    view.setUint32(entry.offset, 0x04034b50, true);
    common(entry.offset + 4, entry, 4 + entry.padding);
    bytes.set(entry.name, entry.offset + 30);
    view.setUint16(entry.start - entry.padding - 4, PADDING_FIELD, true);
    view.setUint16(entry.start - entry.padding - 2, entry.padding, true);
    bytes.set(entry.data, entry.start);

    view.setUint32(at, 0x02014b50, true);
    view.setUint16(at + 4, VERSION, true);
    common(at + 6, entry, 0);
    view.setUint32(at + 42, entry.offset, true);
    bytes.set(entry.name, at + 46);
    at += 46 + entry.name.length;
  }
  view.setUint32(at, 0x06054b50, true);
  view.setUint16(at + 8, entries.length, true);
  view.setUint16(at + 10, entries.length, true);
  view.setUint32(at + 12, directorySize, true);
  view.setUint32(at + 16, offset, true);
  return bytes;
}
