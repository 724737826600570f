/**
 * The container of `torch.save` before PyTorch 1.6: five pickles in a row (magic number, protocol, system, the object,
 * the storages' keys), then each storage as an int64 length and its bytes. It has no checksums: truncation and broken
 * structure are found, a flipped bit among the values is not.
 */
import { WeightsError } from "../../errors.js";
import type { ByteSource } from "../byte_source.js";
import { quoted } from "../strict_json.js";
import { ITEM_SIZE } from "../tensor_data.js";
import { type OpenedCheckpoint, StorageTable } from "./container.js";
import { MAX_PICKLE_BYTES, PickleEnd } from "./pickle_cursor.js";
import type { PyValue, StorageRef } from "./python_values.js";
import { unpickle } from "./unpickler.js";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
const FIRST_WINDOW = 1 << 20;
/** How a file begins: pickle protocol 2, then a LONG1 of ten bytes, the magic number. */
const HEAD = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

export const looksLikeLegacy = (head: Uint8Array): boolean => HEAD.every((byte, i) => head[i] === byte);

export async function openLegacyCheckpoint(source: ByteSource, file: string): Promise<OpenedCheckpoint> {
  const { value, keys, storages, end } = await readPickles(source, file);
  const positions = await locateStorages(source, keys, storages, end, file);
  return {
    container: "legacy",
    value,
    readStorages: async (wanted, visit) => {
      for (const [key, { storage, offset }] of positions) {
        if (wanted.has(key)) visit(key, await source.read(offset, storage.byteLength));
      }
    },
  };
}

interface Pickles {
  value: PyValue;
  keys: PyValue;
  storages: StorageTable;
  end: number;
}

/** The pickles' length is written nowhere, so they are read through a window that grows until they end within it. */
async function readPickles(source: ByteSource, file: string): Promise<Pickles> {
  for (let window = FIRST_WINDOW; ; window *= 4) {
    const length = Math.min(window, source.size, MAX_PICKLE_BYTES);
    const bytes = await source.read(0, length);
    try {
      return parsePickles(bytes, file);
    } catch (error) {
      if (!(error instanceof PickleEnd)) throw error;
      if (length === source.size)
        throw new WeightsError(`${file}: is truncated: its pickle breaks off`, { cause: error });
      if (length === MAX_PICKLE_BYTES) throw new WeightsError(`${file}: its pickles take over ${length} bytes`);
    }
  }
}

function parsePickles(bytes: Uint8Array, file: string): Pickles {
  const storages = new StorageTable(file);
  const noTensors = () => {
    throw new WeightsError(`${file}: refers to a tensor before the checkpoint's object begins`);
  };
  const magic = unpickle(bytes, 0, file, noTensors);
  const protocol = unpickle(bytes, magic.end, file, noTensors);
  if (magic.value !== MAGIC || protocol.value !== PROTOCOL) {
    throw new WeightsError(`${file}: is not of PyTorch's legacy format with protocol ${PROTOCOL}`);
  }
  const system = unpickle(bytes, protocol.end, file, noTensors);
  if (!(system.value instanceof Map) || system.value.get("little_endian") !== true) {
    throw new WeightsError(
      `${file}: was written on a big-endian machine; load and save it again with PyTorch 1.6 or later`,
    );
  }
  const object = unpickle(bytes, system.end, file, storages.load);
  const keys = unpickle(bytes, object.end, file, noTensors);
  return { value: object.value, keys: keys.value, storages, end: keys.end };
}

/** Steps from storage to storage, reading only their lengths, to the end of the file, which must come out exactly. */
async function locateStorages(source: ByteSource, keys: PyValue, storages: StorageTable, start: number, file: string) {
  const positions = new Map<string, { storage: StorageRef; offset: number }>();
  let at = start;
  for (const key of Array.isArray(keys) ? keys : []) {
    const storage = typeof key === "string" ? storages.get(key) : undefined;
    if (storage === undefined || positions.has(storage.key)) {
      throw new WeightsError(`${file}: its list of storages does not match its pickle`);
    }
    if (at + 8 + storage.byteLength > source.size) {
      throw new WeightsError(
        `${file}: is truncated: storage ${quoted(storage.key)} needs ${8 + storage.byteLength} bytes at byte ${at} of ${source.size}`,
      );
    }
    const header = await source.read(at, 8);
    const length = new DataView(header.buffer, header.byteOffset, 8).getBigInt64(0, true);
    if (length !== BigInt(storage.length)) {
      throw new WeightsError(
        `${file}: storage ${quoted(storage.key)} has ${length} elements, its pickle says ${storage.length}`,
      );
    }
    positions.set(storage.key, { storage, offset: at + 8 });
    at += 8 + storage.length * ITEM_SIZE[storage.dtype];
  }
  if (positions.size !== storages.size)
    throw new WeightsError(`${file}: its list of storages does not match its pickle`);
  if (at !== source.size) throw new WeightsError(`${file}: ${source.size - at} bytes follow the last storage`);
  return positions;
}
