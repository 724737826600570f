/** safetensors: round trips, and every rule of the format broken once. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WeightsError } from "../src/errors.js";
import { bytesSource } from "../src/io/byte_source.js";
import {
  parseSafetensors,
  readSafetensors,
  readSafetensorsHeader,
  serializeSafetensors,
} from "../src/io/safetensors.js";
import { type DType, type HostTensor, ITEM_SIZE } from "../src/io/tensor_data.js";
import { cpuStopwatch } from "./helpers/cpu_time.js";
import { countingSource } from "./helpers/sources.js";

/** A file of the given header text and `dataBytes` zeros. */
function file(header: string | Uint8Array, dataBytes = 0, declared?: bigint): Uint8Array {
  const json = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, declared ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const entry = (begin: number | string, end: number | string, dtype = "F32", shape = "[1]") =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

const tensor: fc.Arbitrary<HostTensor> = fc
  .tuple(fc.constantFrom(...(Object.keys(ITEM_SIZE) as DType[])), fc.array(fc.nat(3), { maxLength: 3 }))
  .chain(([dtype, shape]) => {
    const length = shape.reduce((a, b) => a * b, ITEM_SIZE[dtype]);
    return fc.uint8Array({ minLength: length, maxLength: length }).map((data) => ({ dtype, shape, data }));
  });
const name = fc.string({ unit: "grapheme" }).filter((s) => s !== "__metadata__");

describe("round trip", () => {
  test("any tensors and metadata", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, tensor)), fc.array(fc.tuple(name, name)), (tensors, pairs) => {
        const given = new Map(tensors);
        const metadata = Object.fromEntries(pairs);
        const back = parseSafetensors(serializeSafetensors(given, metadata));
        expect(new Map([...back.tensors].sort())).toEqual(new Map([...given].sort()));
        expect(new Map(Object.entries(back.metadata))).toEqual(new Map(Object.entries(metadata)));
      }),
    );
  });

  test("every tensor is aligned to its element", () => {
    const tensors = new Map<string, HostTensor>([
      ["a", { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 3) }],
      ["b", { dtype: "F64", shape: [], data: new Uint8Array(8) }],
      ["c", { dtype: "F16", shape: [1], data: new Uint8Array(2) }],
    ]);
    for (const [, { dtype, data }] of parseSafetensors(serializeSafetensors(tensors)).tensors) {
      expect(data.byteOffset % ITEM_SIZE[dtype]).toBe(0);
    }
  });

  test("by ranges, only the wanted tensors are read", async () => {
    const tensors = new Map<string, HostTensor>([
      ["big", { dtype: "F32", shape: [100_000], data: new Uint8Array(400_000) }],
      ["small", { dtype: "U8", shape: [2], data: Uint8Array.of(7, 9) }],
    ]);
    const source = countingSource(serializeSafetensors(tensors, { arch: "unet" }));
    const { tensors: some, metadata } = await readSafetensors(source, "w", (key) => key === "small");
    expect([...some]).toEqual([["small", tensors.get("small")]]);
    expect(metadata).toEqual({ arch: "unet" });
    expect(source.total()).toBeLessThan(1000);
    expect([...(await readSafetensorsHeader(source)).entries.keys()]).toEqual(["big", "small"]);
  });

  test("the writer refuses what no reader would take", () => {
    const one: HostTensor = { dtype: "U8", shape: [1], data: Uint8Array.of(1) };
    expect(() => serializeSafetensors(new Map([["__metadata__", one]]))).toThrow(WeightsError);
    expect(() => serializeSafetensors(new Map([["\ud800", one]]))).toThrow(WeightsError);
    expect(() => serializeSafetensors(new Map([["a", { ...one, shape: [2] }]]))).toThrow(WeightsError);
  });
});

describe("accepted", () => {
  test.each<[string, Uint8Array, string[]]>([
    ["no tensors", file("{}"), []],
    [
      "a scalar and an empty tensor",
      file(`{"a":${entry(0, 4, "F32", "[]")},"b":${entry(4, 4, "F32", "[0,3]")}}`, 4),
      ["a", "b"],
    ],
    ["a header padded with spaces", file(`{"a":${entry(0, 4)}}    `, 4), ["a"]],
    ["tensors in another order than their bytes", file(`{"a":${entry(4, 8)},"b":${entry(0, 4)}}`, 8), ["a", "b"]],
    ["names that look like numbers, in their order", file(`{"2":${entry(0, 4)},"1":${entry(4, 8)}}`, 8), ["2", "1"]],
    ["a tensor called __proto__", file(`{"__proto__":${entry(0, 4)}}`, 4), ["__proto__"]],
    ["escapes in names", file(`{"\\u00e9\\n":${entry(0, 4)}}`, 4), ["\u00e9\n"]],
  ])("%s", (_, bytes, keys) => {
    expect([...parseSafetensors(bytes).tensors.keys()]).toEqual(keys);
  });

  test("__proto__ in the metadata is a key like any other", () => {
    const { metadata } = parseSafetensors(file(`{"__metadata__":{"__proto__":"x","constructor":"y"}}`));
    expect(Object.entries(metadata)).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });
});

describe("refused", () => {
  const big = "9007199254740992"; // 2^53
  test.each<[string, Uint8Array, RegExp]>([
    ["fewer than 8 bytes", new Uint8Array(7), /7 bytes are too few/],
    ["an empty header", file(""), /must begin with "\{"/],
    ["a header over 100 MB", file("{}", 0, 100_000_001n), /100000001 bytes, over the limit/],
    ["a header of 2^64 - 1", file("{}", 0, 2n ** 64n - 1n), /18446744073709551615 bytes, over the limit/],
    ["a header longer than the file", file("{}", 0, 3n), /header of 3 bytes, but has only 10/],
    ["a header that begins with a space", file(" {}"), /must begin with "\{"/],
    ["a byte order mark", file(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d)), /must begin with "\{"/],
    ["a JSON array", file("[]"), /must begin with "\{"/],
    ["broken JSON", file(`{"a":}`), /needs a value \(character 5\)/],
    ["an unfinished header", file(`{"a":${entry(0, 4)}`, 4), /needs a ","/],
    ["a trailing comma", file(`{"a":${entry(0, 4)},}`, 4), /needs a key/],
    ["text after the JSON", file("{}{}"), /goes on after its end/],
    ["nested without end", file(`{"a":${"[".repeat(50_000)}`), /nested deeper/],
    ["invalid UTF-8", file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), /not valid UTF-8/],
    ["an overlong UTF-8 sequence", file(Uint8Array.of(0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x7d)), /not valid UTF-8/],
    ["a lone surrogate", file(`{"\\ud800":${entry(0, 4)}}`, 4), /invalid string/],
    ["a control character in a name", file(`{"a\n":${entry(0, 4)}}`, 4), /invalid string/],
    ["a duplicate tensor", file(`{"a":${entry(0, 4)},"a":${entry(0, 4)}}`, 4), /the key "a" twice/],
    ["a duplicate by escape", file(`{"a":${entry(0, 4)},"\\u0061":${entry(4, 8)}}`, 8), /the key "a" twice/],
    [
      "a duplicate field",
      file(`{"a":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 4),
      /"dtype" twice/,
    ],
    ["metadata twice", file(`{"__metadata__":{},"__metadata__":{}}`), /"__metadata__" twice/],
    ["metadata that is no object", file(`{"__metadata__":"x"}`), /must be an object of strings/],
    ["metadata with a number", file(`{"__metadata__":{"width":64}}`), /"width" must be a string/],
    ["a tensor that is no object", file(`{"a":[0,4]}`, 4), /tensor "a" must be an object/],
    ["no dtype", file(`{"a":{"shape":[1],"data_offsets":[0,4]}}`, 4), /"a" has no dtype/],
    ["no shape", file(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, 4), /"a" must have a shape/],
    ["no offsets", file(`{"a":{"dtype":"F32","shape":[1]}}`, 4), /"a" must have two data_offsets/],
    ["three offsets", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}`, 8), /two data_offsets/],
    ["an unknown dtype", file(`{"a":${entry(0, 4, "F33")}}`, 4), /dtype "F33", which is not among/],
    ["a dtype from Object.prototype", file(`{"a":${entry(0, 4, "constructor")}}`, 4), /not among/],
    ["a negative dimension", file(`{"a":${entry(0, 4, "F32", "[-1]")}}`, 4), /whole numbers/],
    ["a fractional dimension", file(`{"a":${entry(0, 4, "F32", "[1.0]")}}`, 4), /whole numbers/],
    ["a dimension with an exponent", file(`{"a":${entry(0, 4, "F32", "[1e0]")}}`, 4), /whole numbers/],
    ["a dimension as a string", file(`{"a":${entry(0, 4, "F32", '["1"]')}}`, 4), /whole numbers/],
    ["a dimension of 2^53", file(`{"a":${entry(0, 4, "F32", `[${big}]`)}}`, 4), /whole numbers/],
    ["a shape that overflows", file(`{"a":${entry(0, 4, "F32", "[4294967296,4294967296]")}}`, 4), /overflow/],
    [
      "a shape that overflows to its size in 64 bits",
      file(`{"a":${entry(0, 0, "F32", "[4611686018427387904]")}}`),
      /whole/,
    ],
    ["bytes that overflow", file(`{"a":${entry(0, 4, "F64", "[4503599627370496]")}}`, 4), /overflow/],
    ["a huge literal", file(`{"a":${entry(0, "9".repeat(100_000))}}`, 4), /whole numbers/],
    ["a negative zero", file(`{"a":${entry("-0", 4)}}`, 4), /whole numbers/],
    ["a number that is none", file(`{"a":${entry(0, "1-2")}}`, 4), /needs a value/],
    ["millions of values", file(`{"a":[${"1,".repeat(4_000_000)}1]}`), /has more than 4000000 values/],
    ["a leading zero", file(`{"a":${entry(0, "04")}}`, 4), /needs a value/],
    ["negative offsets", file(`{"a":${entry(-4, 0)}}`, 4), /whole numbers/],
    ["offsets of 2^53", file(`{"a":${entry(big, "9007199254740996")}}`, 4), /whole numbers/],
    ["an end before its beginning", file(`{"a":${entry(4, 0)}}`, 4), /ends at byte 0, before/],
    [
      "fewer bytes than the shape",
      file(`{"a":${entry(0, 4, "F32", "[2]")}}`, 4),
      /takes 8 bytes, but its data_offsets span 4/,
    ],
    ["more bytes than the shape", file(`{"a":${entry(0, 8)}}`, 8), /takes 4 bytes, but its data_offsets span 8/],
    ["an overlap", file(`{"a":${entry(0, 8, "F32", "[2]")},"b":${entry(4, 8)}}`, 8), /"b" overlaps/],
    ["two tensors in one place", file(`{"a":${entry(0, 4)},"b":${entry(0, 4)}}`, 4), /overlaps/],
    ["a hole", file(`{"a":${entry(0, 4)},"b":${entry(8, 12)}}`, 12), /"b" leaves a hole of 4 bytes/],
    ["a hole at the beginning", file(`{"a":${entry(4, 8)}}`, 8), /"a" leaves a hole of 4 bytes/],
    [
      "an empty tensor within another",
      file(`{"a":${entry(0, 4)},"b":${entry(2, 2, "F32", "[0]")}}`, 4),
      /"b" overlaps/,
    ],
    ["a tensor past the end", file(`{"a":${entry(0, 4)}}`, 3), /"a" reaches to byte \d+, past the file's end/],
    ["trailing bytes", file(`{"a":${entry(0, 4)}}`, 5), /1 bytes follow the last tensor/],
    ["data without tensors", file("{}", 1), /1 bytes follow/],
  ])("%s", async (_, bytes, message) => {
    const elapsed = cpuStopwatch();
    const error = await readSafetensors(bytesSource(bytes), "w.safetensors").catch((e: unknown) => e);
    expect(elapsed()).toBeLessThan(1000);
    expect(error).toBeInstanceOf(WeightsError);
    expect((error as WeightsError).message).toMatch(message);
    expect((error as WeightsError).message).toMatch(/^w\.safetensors: /);
    expect(() => parseSafetensors(bytes, "w.safetensors")).toThrow((error as WeightsError).message);
  });
});
