/**
 * Damage of every kind to every format: a reader answers with a typed error or a result, within a second, and leaves
 * Object.prototype alone. S2AM_LONG raises the counts.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { S2amError } from "../src/errors.js";
import { bytesSource } from "../src/io/byte_source.js";
import { parseNpy, serializeNpy } from "../src/io/npy.js";
import { readPytorchCheckpoint } from "../src/io/pytorch/checkpoint.js";
import { openZipCheckpoint } from "../src/io/pytorch/zip_container.js";
import { parseSafetensors, serializeSafetensors } from "../src/io/safetensors.js";
import { elementCount, type HostTensor, ITEM_SIZE } from "../src/io/tensor_data.js";
import { readWeights } from "../src/io/weights_file.js";
import { cpuStopwatch } from "./helpers/cpu_time.js";
import * as py from "./helpers/pickles.js";

const numRuns = process.env.S2AM_LONG ? 100_000 : 1500;
const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`fixtures/checkpoints/${name}`, import.meta.url)));

type Damage = { kind: "flip" | "set" | "cut" | "insert" | "copy"; at: number; value: number };
const damages: fc.Arbitrary<Damage[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(
      "flip" as const,
      "flip" as const,
      "set" as const,
      "cut" as const,
      "insert" as const,
      "copy" as const,
    ),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    value: fc.nat(255),
  }),
  { minLength: 1, maxLength: 6 },
);

function damaged(original: Uint8Array, damage: readonly Damage[]): Uint8Array {
  let bytes: Uint8Array = original.slice();
  for (const { kind, at, value } of damage) {
    const i = Math.floor(at * bytes.length);
    if (kind === "flip") bytes[i] = (bytes[i] ?? 0) ^ (1 << (value & 7));
    else if (kind === "set") bytes[i] = value;
    else if (kind === "cut") bytes = py.bytes(bytes.subarray(0, i), bytes.subarray(i + 1 + (value & 31)));
    else if (kind === "insert") bytes = py.bytes(bytes.subarray(0, i), value, bytes.subarray(i));
    else bytes.copyWithin(i, Math.floor((value / 256) * bytes.length), Math.floor((value / 256) * bytes.length) + 8);
  }
  return bytes;
}

const prototype = Object.getOwnPropertyNames(Object.prototype).sort();

/** Runs the reader; anything but a result or a typed error fails, as does taking a second. Returns the result, if any. */
async function survive<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  const elapsed = cpuStopwatch();
  let result: T | undefined;
  try {
    result = await read();
  } catch (error) {
    if (!(error instanceof S2amError)) throw error;
    expect(error.message.length).toBeLessThan(2000);
  }
  expect(elapsed()).toBeLessThan(1000);
  expect(Object.getOwnPropertyNames(Object.prototype).sort()).toEqual(prototype);
  return result;
}

function expectWhole(tensors: ReadonlyMap<string, HostTensor> | undefined): void {
  for (const { dtype, shape, data } of tensors?.values() ?? []) {
    expect(data.length).toBe(elementCount(shape) * ITEM_SIZE[dtype]);
  }
}

const safetensors = serializeSafetensors(
  new Map<string, HostTensor>([
    ["conv.weight", { dtype: "F32", shape: [2, 3], data: new Uint8Array(24) }],
    ["bn.num_batches_tracked", { dtype: "I64", shape: [], data: new Uint8Array(8) }],
    ["half", { dtype: "F16", shape: [4], data: new Uint8Array(8) }],
  ]),
  { arch: "s2ad", width: "64" },
);

describe("damaged files", () => {
  const weights = [
    "train_zip.pth.tar",
    "train_legacy.pth.tar",
    "layouts_zip.pth",
    "layouts_legacy.pth",
    "parallel_legacy.pth",
  ];
  test.each<[string, Uint8Array]>([
    ["safetensors", safetensors],
    ...weights.map((f): [string, Uint8Array] => [f, fixture(f)]),
  ])("%s", async (_, original) => {
    await fc.assert(
      fc.asyncProperty(damages, async (damage) => {
        const bytes = damaged(original, damage);
        expectWhole((await survive(() => readWeights(bytesSource(bytes), "fuzz")))?.tensors);
      }),
      { numRuns },
    );
  });

  test("safetensors headers, rewritten in JSON", () => {
    const value = fc.oneof(
      fc.constantFrom("F32", "__proto__", -1, 0, 4, 2 ** 53, 1.5, null, true),
      fc.array(fc.nat(8)),
      fc.jsonValue(),
    );
    const entry = fc.record({ dtype: value, shape: value, data_offsets: value }, { requiredKeys: [] });
    const name = fc.constantFrom("a", "b", "__metadata__", "__proto__");
    return fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, fc.oneof(entry, value))), fc.nat(16), async (entries, dataBytes) => {
        const json = new TextEncoder().encode(`{${entries.map(([k, v]) => `"${k}":${JSON.stringify(v)}`).join(",")}}`);
        const bytes = py.bytes(py.le(json.length, 8), json, new Uint8Array(dataBytes));
        expectWhole((await survive(() => parseSafetensors(bytes)))?.tensors);
      }),
      { numRuns },
    );
  });

  test("npy", async () => {
    const original = serializeNpy([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));
    await fc.assert(
      fc.asyncProperty(damages, async (damage) => {
        const array = await survive(() => parseNpy(damaged(original, damage)));
        if (array) expect(array.data.length).toBe(elementCount(array.shape));
      }),
      { numRuns },
    );
  });

  test("every truncation of every file is noticed", async () => {
    for (const original of [safetensors, ...weights.map(fixture)]) {
      for (let length = 0; length < original.length; length += process.env.S2AM_LONG ? 1 : 23) {
        await expect(readWeights(bytesSource(original.subarray(0, length)), "cut")).rejects.toThrow(S2amError);
      }
    }
  });

  test("every flipped bit among a zip's weights is noticed", async () => {
    const file = fixture("train_zip.pth.tar");
    const clean = await readPytorchCheckpoint(bytesSource(file));
    for (const { data } of clean.tensors.values()) {
      const bit = 1 << (data.byteOffset & 7);
      data[data.length >> 1] = (data[data.length >> 1] ?? 0) ^ bit; // a view into the file
      await expect(readPytorchCheckpoint(bytesSource(file))).rejects.toThrow(/CRC-32/);
      data[data.length >> 1] = (data[data.length >> 1] ?? 0) ^ bit;
    }
  });
});

describe("damaged pickles behind valid checksums", () => {
  const opcodes = Uint8Array.from(
    "0123(.)NRQXKMJGUT}]abcdehijlqrstuo\x80\x81\x82\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x93\x94\x95",
    (c) => c.charCodeAt(0),
  );
  const piece = fc.oneof(
    fc.constantFrom(...opcodes).map((b) => Uint8Array.of(b)),
    fc.uint8Array({ maxLength: 4 }),
    fc.constantFrom(
      py.text("state_dict"),
      py.text("w"),
      py.int(3),
      py.int(-1),
      py.int(2 ** 52),
      py.storage(),
      py.tensor({}, 0, [2, 2], [1, 2]),
      py.global("collections", "OrderedDict"),
      py.global("torch._utils", "_rebuild_tensor_v2"),
      py.global("numpy", "dtype"),
      py.global("numpy.core.multiarray", "scalar"),
      py.global("_codecs", "encode"),
      py.text("latin1"),
      py.text("f8"),
    ),
  );

  test("random programs", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
        const file = py.zipCheckpoint(py.pickle(...pieces), { 0: py.floats(1, 2, 3, 4) });
        expectWhole((await survive(() => readPytorchCheckpoint(bytesSource(file))))?.tensors);
      }),
      { numRuns: 2 * numRuns },
    );
  });

  test("a real program, damaged", async () => {
    const state = py.dict(
      py.text("a"),
      py.tensor({}, 0, [2, 2], [1, 2]),
      py.text("b"),
      py.tensor({ key: "1", length: 2 }, 1, [1], [1]),
    );
    const program = py.pickle(py.dict(py.text("epoch"), py.int(3), py.text("state_dict"), state));
    await fc.assert(
      fc.asyncProperty(damages, async (damage) => {
        const file = py.zipCheckpoint(damaged(program, damage), { 0: py.floats(1, 2, 3, 4), 1: py.floats(5, 6) });
        await survive(() => openZipCheckpoint(bytesSource(file), "fuzz"));
        expectWhole((await survive(() => readPytorchCheckpoint(bytesSource(file))))?.tensors);
      }),
      { numRuns: 2 * numRuns },
    );
  });
});
