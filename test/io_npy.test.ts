/** .npy files: round trips, NumPy's own spellings of the header, and what is refused. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../src/errors.js";
import { parseNpy, serializeNpy } from "../src/io/npy.js";

function file(header: string, data: Uint8Array | number = 0, version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const lengthBytes = version === 1 ? 2 : 4;
  const body = typeof data === "number" ? new Uint8Array(data) : data;
  const bytes = new Uint8Array(8 + lengthBytes + text.length + body.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, text.length, true);
  else view.setUint32(8, text.length, true);
  bytes.set(text, 8 + lengthBytes);
  bytes.set(body, 8 + lengthBytes + text.length);
  return bytes;
}

const dict = (shape: string, descr = "'<f4'", fortran = "False") =>
  `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

describe("round trip", () => {
  test("any shape, with NaN payloads and signed zeros kept", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(4), { maxLength: 5 }), fc.nat(), (shape, seed) => {
        const count = shape.reduce((a, b) => a * b, 1);
        const words = Uint32Array.from({ length: count }, (_, i) => Math.imul(seed + i + 1, 0x9e3779b1));
        const bytes = serializeNpy(shape, new Float32Array(words.buffer));
        expect((bytes.length - 4 * count) % 64).toBe(0);
        const back = parseNpy(bytes);
        expect(back.shape).toEqual(shape);
        expect(new Uint32Array(back.data.buffer)).toEqual(words);
      }),
    );
  });

  test("the header is NumPy's to the byte", () => {
    const text = (shape: number[], count: number) =>
      new TextDecoder("latin1").decode(serializeNpy(shape, new Float32Array(count)).subarray(10, 128 - 4 * count));
    expect(text([3], 3).trimEnd()).toBe("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }");
    expect(text([], 1).trimEnd()).toBe("{'descr': '<f4', 'fortran_order': False, 'shape': (), }");
    expect(text([1, 2], 2).trimEnd()).toBe("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }");
  });

  test("at an odd place in memory", () => {
    const bytes = serializeNpy([2], Float32Array.of(1.5, -2));
    const shifted = new Uint8Array(bytes.length + 3).subarray(3);
    shifted.set(bytes);
    expect([...parseNpy(shifted).data]).toEqual([1.5, -2]);
    expect([...parseNpy(Buffer.from(bytes)).data]).toEqual([1.5, -2]); // whose slice() is a view on a shared pool
  });

  test("data must fill the shape", () => {
    expect(() => serializeNpy([3], new Float32Array(2))).toThrow(InputError);
  });
});

describe("accepted", () => {
  test.each<[string, Uint8Array, number[]]>([
    ["version 2", file(dict("(1, 2)"), 8, 2), [1, 2]],
    ["version 3", file(dict("(1, 2)"), 8, 3), [1, 2]],
    ["Python 2's long integers", file(dict("(1L, 2L)"), 8), [1, 2]],
    ["another order of keys", file(`{"shape": (2,), "fortran_order": False, "descr": "<f4"}\n`, 8), [2]],
    ["no spaces", file(`{'descr':'<f4','fortran_order':False,'shape':(2,)}`, 8), [2]],
    ["an empty array", file(dict("(0, 4)")), [0, 4]],
  ])("%s", (_, bytes, shape) => {
    expect(parseNpy(bytes).shape).toEqual(shape);
  });
});

describe("refused", () => {
  test.each<[string, Uint8Array, RegExp]>([
    ["an empty file", new Uint8Array(), /not a \.npy file/],
    ["another format", new TextEncoder().encode("PK\x03\x04 some zip"), /not a \.npy file; save it with numpy\.save/],
    ["version 4", file(dict("(1,)"), 4, 4), /version 4/],
    ["nothing after the magic", file("").subarray(0, 8), /truncated within its/],
    ["a truncated header", file(dict("(1,)"), 4).subarray(0, 40), /truncated within its/],
    ["a header of 4 GB", Uint8Array.of(...file("", 0, 2).subarray(0, 8), 255, 255, 255, 255), /header of 4294967295/],
    [
      "float64",
      file(dict("(1,)", "'<f8'"), 8),
      /holds "<f8", expected "<f4".*numpy\.ascontiguousarray\(x, dtype='<f4'\)/,
    ],
    ["big-endian", file(dict("(1,)", "'>f4'"), 4), /holds ">f4"/],
    ["pickled objects", file(dict("(1,)", "'|O'"), 4), /holds "\|O"/],
    ["a record", file(dict("(1,)", "[('x', '<f4'), ('y', '<f4')]"), 8), /holds "\[\('x', '<f4'\)/],
    ["Fortran order", file(dict("(2, 2)", "'<f4'", "True"), 16), /Fortran order/],
    [
      "truncated data",
      file(dict("(2, 2)"), 15),
      /is truncated: float32 \[2, 2\] takes 16 bytes of data, the file has 15/,
    ],
    ["over-long data", file(dict("(2, 2)"), 17), /left over/],
    ["a shape that overflows", file(dict("(4294967296, 4294967296)")), /overflows/],
    ["a negative dimension", file(dict("(-1,)"), 4), /malformed/],
    ["a shape that is no tuple", file(dict("(3)"), 12), /malformed/],
    ["a missing key", file("{'descr': '<f4', 'shape': (1,)}", 4), /malformed/],
    ["a key too many", file("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 'y'}", 4), /malformed/],
    ["a key twice", file("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4), /malformed/],
    ["code", file("{'descr': __import__('os').system('true')}", 4), /malformed/],
    ["text after the dict", file(`${dict("(1,)")} + 1`, 4), /malformed/],
    ["one brace", file("{", 4), /malformed/],
  ])("%s", (_, bytes, message) => {
    expect(() => parseNpy(bytes, "x.npy")).toThrow(InputError);
    expect(() => parseNpy(bytes, "x.npy")).toThrow(message);
    expect(() => parseNpy(bytes, "x.npy")).toThrow(/^x\.npy: /);
  });
});
