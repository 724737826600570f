/**
 * The safetensors format, read and written by its published rules: 8 bytes of header length, a JSON header, then the
 * tensors' bytes without holes or overlaps. Anything a second reader could understand otherwise is refused.
 */
import { WeightsError } from "../errors.js";
import type { ByteSource } from "./byte_source.js";
import { type Json, JsonError, parseStrictJson, quoted } from "./strict_json.js";
import { type DType, elementCount, formatShape, type HostTensor, ITEM_SIZE, isDType } from "./tensor_data.js";

const MAX_HEADER = 100_000_000;
const LENGTH_BYTES = 8;

/** Where a tensor lies: `offset` counts bytes from the start of the file. */
export interface SafetensorsEntry {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly byteLength: number;
}

export interface SafetensorsHeader {
  /** Without a prototype, so no key of the file can shadow or inherit anything. */
  readonly metadata: Record<string, string>;
  /** In the order of the header. */
  readonly entries: Map<string, SafetensorsEntry>;
}

export interface SafetensorsFile {
  readonly metadata: Record<string, string>;
  readonly tensors: Map<string, HostTensor>;
}

/** Reads a whole file that is in memory; the tensors are views into `bytes`. Throws WeightsError naming the broken rule. */
export function parseSafetensors(bytes: Uint8Array, name = "safetensors"): SafetensorsFile {
  const length = headerLength(bytes, bytes.length, name);
  const json = bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
  const { metadata, entries } = parseSafetensorsHeader(json, bytes.length, name);
  const tensors = new Map<string, HostTensor>();
  for (const [key, { dtype, shape, offset, byteLength }] of entries) {
    tensors.set(key, { dtype, shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset + offset, byteLength) });
  }
  return { metadata, tensors };
}

/** Reads the header alone; a tensor's bytes are then `source.read(entry.offset, entry.byteLength)`. */
export async function readSafetensorsHeader(source: ByteSource, name = "safetensors"): Promise<SafetensorsHeader> {
  const prefix = await source.read(0, Math.min(LENGTH_BYTES, source.size));
  const length = headerLength(prefix, source.size, name);
  return parseSafetensorsHeader(await source.read(LENGTH_BYTES, length), source.size, name);
}

/** Reads the tensors that `wanted` accepts (all by default) by one range each; the others stay where they are. */
export async function readSafetensors(
  source: ByteSource,
  name = "safetensors",
  wanted: (key: string) => boolean = () => true,
): Promise<SafetensorsFile> {
  const { metadata, entries } = await readSafetensorsHeader(source, name);
  const tensors = new Map<string, HostTensor>();
  for (const [key, { dtype, shape, offset, byteLength }] of entries) {
    if (wanted(key)) tensors.set(key, { dtype, shape, data: await source.read(offset, byteLength) });
  }
  return { metadata, tensors };
}

/**
 * Checks and reads the JSON header of a file of `fileSize` bytes. `json` is the header's bytes alone, without the 8
 * bytes of length before it. Throws WeightsError naming the rule that is broken and the tensor that breaks it.
 */
export function parseSafetensorsHeader(json: Uint8Array, fileSize: number, name = "safetensors"): SafetensorsHeader {
  if (json[0] !== 0x7b) throw new WeightsError(`${name}: the safetensors header must begin with "{"`);
  const metadata: Record<string, string> = Object.create(null);
  const entries = new Map<string, SafetensorsEntry>();
  for (const [key, value] of parseHeaderJson(json, name)) {
    if (key === "__metadata__") readMetadata(value, metadata, name);
    else entries.set(key, readEntry(key, value, LENGTH_BYTES + json.length, name));
  }
  checkCoverage(entries, LENGTH_BYTES + json.length, fileSize, name);
  return { metadata, entries };
}

/**
 * The bytes of a file. Tensors are laid out by falling element size, then by name, so every one is aligned to its
 * element; the header is padded so that the data begins at a multiple of 8.
 */
export function serializeSafetensors(
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const sorted = [...tensors].sort(
    ([a, x], [b, y]) => ITEM_SIZE[y.dtype] - ITEM_SIZE[x.dtype] || (a < b ? -1 : a > b ? 1 : 0),
  );
  const fields: string[] = [];
  if (Object.keys(metadata).length > 0) fields.push(`"__metadata__":${metadataJson(metadata)}`);
  let end = 0;
  for (const [key, { dtype, shape, data }] of sorted) {
    if (key === "__metadata__") throw new WeightsError("safetensors: a tensor cannot be called __metadata__");
    if (data.length !== elementCount(shape) * ITEM_SIZE[dtype]) {
      throw new WeightsError(
        `safetensors: ${quoted(key)} is ${dtype} ${formatShape(shape)} but has ${data.length} bytes`,
      );
    }
    const offsets = [end, end + data.length];
    end += data.length;
    fields.push(`${jsonKey(key)}:${JSON.stringify({ dtype, shape, data_offsets: offsets })}`);
  }
  const json = new TextEncoder().encode(`{${fields.join(",")}}`);
  const headerBytes = Math.ceil(json.length / 8) * 8;
  if (headerBytes > MAX_HEADER) throw new WeightsError(`safetensors: a header of ${headerBytes} bytes is over 100 MB`);
  const bytes = new Uint8Array(LENGTH_BYTES + headerBytes + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(json, LENGTH_BYTES);
  bytes.fill(0x20, LENGTH_BYTES + json.length, LENGTH_BYTES + headerBytes);
  let at = LENGTH_BYTES + headerBytes;
  for (const [, { data }] of sorted) {
    bytes.set(data, at);
    at += data.length;
  }
  return bytes;
}

/** Whether the first bytes could open a safetensors file: the ninth is the header's brace. */
export const looksLikeSafetensors = (head: Uint8Array): boolean => head[LENGTH_BYTES] === 0x7b;

function headerLength(prefix: Uint8Array, fileSize: number, name: string): number {
  if (fileSize < LENGTH_BYTES) throw new WeightsError(`${name}: ${fileSize} bytes are too few for a safetensors file`);
  const length = new DataView(prefix.buffer, prefix.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER)) {
    throw new WeightsError(
      `${name}: declares a safetensors header of ${length} bytes, over the limit of ${MAX_HEADER}`,
    );
  }
  if (length > BigInt(fileSize - LENGTH_BYTES)) {
    throw new WeightsError(
      `${name}: declares a safetensors header of ${length} bytes, but has only ${fileSize} in all`,
    );
  }
  return Number(length);
}

function parseHeaderJson(json: Uint8Array, name: string): Map<string, Json> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json);
  } catch (cause) {
    throw new WeightsError(`${name}: the safetensors header is not valid UTF-8`, { cause });
  }
  try {
    const value = parseStrictJson(text);
    if (value instanceof Map) return value;
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    throw new WeightsError(`${name}: the safetensors header ${cause.message}`, { cause });
  }
  throw new WeightsError(`${name}: the safetensors header is not a JSON object`);
}

function readMetadata(value: Json, metadata: Record<string, string>, name: string): void {
  if (!(value instanceof Map)) throw new WeightsError(`${name}: __metadata__ must be an object of strings`);
  for (const [key, entry] of value) {
    if (typeof entry !== "string") throw new WeightsError(`${name}: __metadata__ ${quoted(key)} must be a string`);
    metadata[key] = entry;
  }
}

function readEntry(key: string, value: Json, dataStart: number, name: string): SafetensorsEntry {
  const refuse = (rule: string) => new WeightsError(`${name}: tensor ${quoted(key)} ${rule}`);
  if (!(value instanceof Map)) throw refuse("must be an object with dtype, shape and data_offsets");
  const dtype = value.get("dtype");
  if (typeof dtype !== "string") throw refuse("has no dtype");
  if (!isDType(dtype)) {
    throw refuse(`has dtype ${quoted(dtype)}, which is not among ${Object.keys(ITEM_SIZE).join(", ")}`);
  }
  const shape = indices(value.get("shape"));
  if (shape === undefined) throw refuse("must have a shape of whole numbers from 0 to 2^53 - 1");
  const byteLength = elementCount(shape) * ITEM_SIZE[dtype];
  if (!Number.isSafeInteger(byteLength)) throw refuse(`has shape ${formatShape(shape)}, whose bytes overflow 2^53`);
  const [begin, end, ...more] = indices(value.get("data_offsets")) ?? [];
  if (begin === undefined || end === undefined || more.length > 0) {
    throw refuse("must have two data_offsets, whole numbers from 0 to 2^53 - 1");
  }
  if (end < begin) throw refuse(`ends at byte ${end}, before it begins at ${begin}`);
  if (end - begin !== byteLength) {
    throw refuse(
      `is ${dtype} ${formatShape(shape)}, which takes ${byteLength} bytes, but its data_offsets span ${end - begin}`,
    );
  }
  return { dtype, shape, offset: dataStart + begin, byteLength };
}

/** The value as an array of safe, non-negative integers. */
function indices(value: Json | undefined): number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const numbers: number[] = [];
  for (const item of value) {
    if (typeof item !== "number" || item < 0) return undefined;
    numbers.push(item);
  }
  return numbers;
}

/** The tensors must tile the data section: no hole, no overlap, nothing missing, nothing left over. */
function checkCoverage(
  entries: Map<string, SafetensorsEntry>,
  dataStart: number,
  fileSize: number,
  name: string,
): void {
  let end = dataStart;
  const byPosition = [...entries].sort(([, a], [, b]) => a.offset - b.offset || a.byteLength - b.byteLength);
  for (const [key, { offset, byteLength }] of byPosition) {
    if (offset !== end) {
      const fault = offset < end ? "overlaps the tensor before it" : `leaves a hole of ${offset - end} bytes before it`;
      throw new WeightsError(`${name}: tensor ${quoted(key)} ${fault}`);
    }
    end = offset + byteLength;
    if (end > fileSize) {
      throw new WeightsError(
        `${name}: tensor ${quoted(key)} reaches to byte ${end}, past the file's end at ${fileSize}; the file is truncated`,
      );
    }
  }
  if (end !== fileSize) throw new WeightsError(`${name}: ${fileSize - end} bytes follow the last tensor`);
}

function jsonKey(key: string): string {
  if (/\p{Surrogate}/u.test(key)) throw new WeightsError(`safetensors: the name ${quoted(key)} is not valid Unicode`);
  return JSON.stringify(key);
}

const metadataJson = (metadata: Readonly<Record<string, string>>): string =>
  `{${Object.entries(metadata)
    .map(([key, value]) => `${jsonKey(key)}:${jsonKey(value)}`)
    .join(",")}}`;
