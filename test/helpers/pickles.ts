/** Pickles and checkpoints put together by hand, opcode by opcode: the ones that no PyTorch would write. */
import { writeStoredZip } from "../../src/io/zip_writer.js";

type Part = number | string | Uint8Array | readonly number[];

/** Bytes from opcodes (numbers), raw text (strings) and finished pieces. */
export function bytes(...parts: readonly Part[]): Uint8Array {
  const encoder = new TextEncoder();
  const pieces = parts.map((p) => (typeof p === "string" ? encoder.encode(p) : typeof p === "number" ? [p] : p));
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

export const le = (value: number | bigint, width: number): Uint8Array =>
  Uint8Array.from({ length: width }, (_, i) => Number((BigInt.asUintN(64, BigInt(value)) >> BigInt(8 * i)) & 255n));

export const global = (module: string, name: string) => bytes("c", module, "\n", name, "\n");
export const text = (value: string) => bytes("X", le(new TextEncoder().encode(value).length, 4), value);
export const int = (value: number) => bytes(0x8a, 8, le(value, 8));
export const tuple = (...items: readonly Part[]) => bytes("(", ...items, "t");
export const dict = (...keysAndValues: readonly Part[]) => bytes("}(", ...keysAndValues, "u");
export const call = (callee: Part, ...args: readonly Part[]) => bytes(callee, tuple(...args), "R");
/** A whole pickle: PROTO 2, the parts, STOP. */
export const pickle = (...parts: readonly Part[]) => bytes(0x80, 2, ...parts, ".");

export interface StorageSpec {
  key?: string;
  type?: string;
  length?: number;
  view?: Part;
}

export const storage = ({ key = "0", type = "FloatStorage", length = 4, view }: StorageSpec = {}) =>
  bytes(
    tuple(text("storage"), global("torch", type), text(key), text("cpu"), int(length), ...(view ? [view] : [])),
    "Q",
  );

/** `_rebuild_tensor_v2` over a storage. */
export const tensor = (spec: StorageSpec, offset: number, shape: readonly number[], strides: readonly number[]) =>
  call(
    global("torch._utils", "_rebuild_tensor_v2"),
    storage(spec),
    int(offset),
    tuple(...shape.map(int)),
    tuple(...strides.map(int)),
    0x89,
    call(global("collections", "OrderedDict")),
  );

/** A checkpoint in the zip container. `storages` holds each storage's bytes by key. */
export const zipCheckpoint = (pkl: Uint8Array, storages: Readonly<Record<string, Uint8Array>> = {}) =>
  writeStoredZip(
    new Map([
      ["archive/data.pkl", pkl],
      ...Object.entries(storages).map(([key, data]) => [`archive/data/${key}`, data] as const),
      ["archive/version", bytes("3\n")],
    ]),
  );

export const LEGACY_HEAD = bytes(
  pickle(0x8a, 10, [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]),
  pickle("M", le(1001, 2)),
  pickle(dict(text("protocol_version"), "M", le(1001, 2), text("little_endian"), 0x88)),
);

/** A checkpoint in the legacy container; each storage is [key, declared length, bytes]. */
export const legacyCheckpoint = (pkl: Uint8Array, storages: readonly (readonly [string, number, Uint8Array])[] = []) =>
  bytes(
    LEGACY_HEAD,
    pkl,
    pickle("](", ...storages.map(([key]) => text(key)), "e"),
    ...storages.flatMap(([, length, data]) => [le(length, 8), data]),
  );

export const floats = (...values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);
