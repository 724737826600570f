/**
 * Zip archives of stored (uncompressed) entries, read by ranges: only the directory and the entries that are asked for
 * leave the disk, and each of those is checked against its CRC-32. Nothing is ever extracted, so names are only keys.
 * Zip64 is understood, as PyTorch writes it whatever the size.
 */

import { crc32 } from "../crc32.js";
import { WeightsError } from "../errors.js";
import type { ByteSource } from "./byte_source.js";
import { quoted } from "./strict_json.js";

interface ZipEntry {
  readonly name: string;
  readonly size: number;
  readonly crc: number;
  /** Where the entry's local header begins. */
  readonly offset: number;
}

export interface ZipReader {
  /** Sizes in bytes by name, in the order of the central directory. */
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** The bytes of an entry, checked against its CRC-32. Throws WeightsError when it is missing or damaged. */
  read(name: string): Promise<Uint8Array>;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const END_SIZE = 22;
const LOCATOR64_SIZE = 20;
const END64_SIZE = 56;
const MAX_COMMENT = 0xffff;
const MAX_DIRECTORY = 1 << 26;
const ENCRYPTED = 1;

export const looksLikeZip = (head: Uint8Array): boolean =>
  head[0] === 0x50 && head[1] === 0x4b && (head[2] === 3 || head[2] === 5) && head[3] === head[2] + 1;

/** Opens the archive in `source`; `label` is the file's name in errors. Throws WeightsError on anything irregular. */
export async function openZip(source: ByteSource, label: string): Promise<ZipReader> {
  const directory = await findDirectory(source, label);
  const entries = parseDirectory(await source.read(directory.offset, directory.size), directory, label);
  return {
    entries,
    read: async (name) => {
      const entry = entries.get(name);
      if (entry === undefined) throw new WeightsError(`${label}: has no entry ${quoted(name)}`);
      const bytes = await source.read(await locateData(source, entry, directory.offset, label), entry.size);
      if (crc32(bytes) !== entry.crc) {
        throw new WeightsError(
          `${label}: entry ${quoted(name)} does not match its CRC-32: the file is damaged; fetch it again`,
        );
      }
      return bytes;
    },
  };
}

interface Directory {
  offset: number;
  size: number;
  count: number;
}

/** The directory is found from the file's end, where the end record must close the file, comment included. */
async function findDirectory(source: ByteSource, label: string): Promise<Directory> {
  const tailSize = Math.min(source.size, END_SIZE + MAX_COMMENT + LOCATOR64_SIZE + END64_SIZE);
  const tailStart = source.size - tailSize;
  const tail = viewOf(await source.read(tailStart, tailSize));
  let end = tailSize - END_SIZE;
  while (
    end >= 0 &&
    !(tail.getUint32(end, true) === END && tail.getUint16(end + 20, true) === tailSize - end - END_SIZE)
  )
    end--;
  if (end < 0)
    throw new WeightsError(`${label}: the zip archive has no end record: the file is truncated; fetch it again`);

  let directory: Directory = {
    count: tail.getUint16(end + 10, true),
    size: tail.getUint32(end + 12, true),
    offset: tail.getUint32(end + 16, true),
  };
  let directoryEnd = tailStart + end;
  const locator = end - LOCATOR64_SIZE;
  if (locator >= 0 && tail.getUint32(locator, true) === LOCATOR64) {
    directoryEnd = readUint64(tail, locator + 8);
    const at = directoryEnd - tailStart;
    if (!(at >= 0 && at <= locator - END64_SIZE && tail.getUint32(at, true) === END64)) {
      throw new WeightsError(`${label}: the zip64 end record is not where its locator points: the file is damaged`);
    }
    directory = {
      count: readUint64(tail, at + 32),
      size: readUint64(tail, at + 40),
      offset: readUint64(tail, at + 48),
    };
  }
  if (directory.size > MAX_DIRECTORY || directory.offset + directory.size !== directoryEnd) {
    throw new WeightsError(
      `${label}: the zip directory is not where the end record says: the file is damaged or truncated`,
    );
  }
  return directory;
}

function parseDirectory(bytes: Uint8Array, directory: Directory, label: string): Map<string, ZipEntry> {
  const damaged = () => new WeightsError(`${label}: the zip directory is damaged`);
  const view = viewOf(bytes);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  while (at < bytes.length) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== CENTRAL) throw damaged();
    const nameEnd = at + 46 + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > bytes.length) throw damaged();
    const name = new TextDecoder().decode(bytes.subarray(at + 46, nameEnd));
    if (entries.has(name)) throw new WeightsError(`${label}: has two entries called ${quoted(name)}`);
    if (view.getUint16(at + 10, true) !== 0 || view.getUint16(at + 8, true) & ENCRYPTED) {
      throw new WeightsError(
        `${label}: entry ${quoted(name)} is compressed or encrypted; PyTorch stores its entries plainly`,
      );
    }
    const wide = readZip64Extra(view, nameEnd, extraEnd);
    const [uncompressed, compressed, offset] = [at + 24, at + 20, at + 42].map((field) => {
      const value = view.getUint32(field, true);
      return value === 0xffffffff ? wide.shift() : value;
    });
    if (uncompressed === undefined || compressed !== uncompressed || offset === undefined) throw damaged();
    if (offset + 30 + uncompressed > directory.offset) {
      throw new WeightsError(`${label}: entry ${quoted(name)} reaches past the archive's data: the file is damaged`);
    }
    entries.set(name, { name, size: uncompressed, crc: view.getUint32(at + 16, true), offset });
    at = next;
  }
  if (entries.size !== directory.count) throw damaged();
  return entries;
}

/** The 64-bit values of the zip64 extra field, in their order; empty when there is none. */
function readZip64Extra(view: DataView, start: number, end: number): number[] {
  for (let at = start; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    const values = [];
    const fieldEnd = Math.min(end, at + 4 + view.getUint16(at + 2, true));
    for (let field = at + 4; field + 8 <= fieldEnd; field += 8) values.push(readUint64(view, field));
    return values;
  }
  return [];
}

/** The local header repeats the name and gives the length of its own padding, which the directory does not know. */
async function locateData(source: ByteSource, entry: ZipEntry, limit: number, label: string): Promise<number> {
  const nameBytes = new TextEncoder().encode(entry.name).length;
  const damaged = () => new WeightsError(`${label}: entry ${quoted(entry.name)} has a damaged local header`);
  if (entry.offset + 30 + nameBytes > limit) throw damaged();
  const header = await source.read(entry.offset, 30 + nameBytes);
  const view = viewOf(header);
  const name = new TextDecoder().decode(header.subarray(30));
  if (view.getUint32(0, true) !== LOCAL || view.getUint16(26, true) !== nameBytes || name !== entry.name)
    throw damaged();
  const start = entry.offset + 30 + nameBytes + view.getUint16(28, true);
  if (start + entry.size > limit) throw damaged();
  return start;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Beyond 2^53 the value is rounded, which every later range check refuses. */
const readUint64 = (view: DataView, at: number) => view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
