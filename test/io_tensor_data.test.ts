/** Host tensors: every half-precision pattern, and every dtype's way to float32. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ShapeError } from "../src/errors.js";
import { float16ToFloat32, float32ToFloat16 } from "../src/float16.js";
import { type DType, elementCount, firstNonFinite, fromFloat32, ITEM_SIZE, toFloat32 } from "../src/io/tensor_data.js";

/** The definition of binary16, in doubles, to hold the bit tricks against. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

const allHalves = Uint16Array.from({ length: 65536 }, (_, i) => i);
const positive = allHalves.subarray(0, 0x7c01);

describe("float16", () => {
  test("every pattern widens to its value and comes back to the same bits", () => {
    const wide = float16ToFloat32(allHalves);
    expect(wide.every((value, i) => Object.is(value, halfValue(i)))).toBe(true);
    const back = float32ToFloat16(wide);
    const quiet = (bits: number) => ((bits & 0x7fff) > 0x7c00 ? bits | 0x200 : bits);
    expect(back.every((bits, i) => bits === quiet(i))).toBe(true);
  });

  test("between neighbours the nearer wins, and halfway the even one", () => {
    for (let i = 0; i < 0x7c00; i++) {
      const low = halfValue(positive[i] ?? 0);
      const high = i === 0x7bff ? 65536 : halfValue(i + 1);
      const middle = (low + high) / 2; // exact: it takes one bit more than a half has
      const below = Math.fround(middle - (high - low) * 2 ** -12);
      const above = Math.fround(middle + (high - low) * 2 ** -12);
      const even = i % 2 === 0 ? i : i + 1;
      expect([...float32ToFloat16(Float32Array.of(below, middle, above, -middle))]).toEqual([
        i,
        even,
        i + 1,
        even | 0x8000,
      ]);
    }
  });

  test("the smallest float32 values round as they should", () => {
    const half = 2 ** -25; // halfway between 0 and the smallest half
    const values = Float32Array.of(half, half * (1 + 2 ** -23), half * (1 - 2 ** -24), 2 ** -149, -(2 ** -149), -0);
    expect([...float32ToFloat16(values)]).toEqual([0, 1, 0, 0, 0x8000, 0x8000]);
  });
});

describe("toFloat32", () => {
  const bytesOf = (array: { buffer: ArrayBufferLike }) => new Uint8Array(array.buffer);
  const cases: [DType, Uint8Array, number[]][] = [
    ["BOOL", Uint8Array.of(0, 1, 255), [0, 1, 1]],
    ["U8", Uint8Array.of(0, 255), [0, 255]],
    ["I8", bytesOf(Int8Array.of(-128, 127)), [-128, 127]],
    ["U16", bytesOf(Uint16Array.of(65535)), [65535]],
    ["I16", bytesOf(Int16Array.of(-32768)), [-32768]],
    ["F16", bytesOf(Uint16Array.of(0x3c00, 0xfc00)), [1, -Infinity]],
    ["BF16", bytesOf(Uint16Array.of(0x3f80, 0xff80, 0x0001)), [1, -Infinity, 2 ** -133]],
    ["U32", bytesOf(Uint32Array.of(2 ** 32 - 1)), [2 ** 32]],
    ["I32", bytesOf(Int32Array.of(-(2 ** 31))), [-(2 ** 31)]],
    ["F32", bytesOf(Float32Array.of(0.1, -0)), [Math.fround(0.1), -0]],
    ["U64", bytesOf(BigUint64Array.of(2n ** 64n - 1n)), [2 ** 64]],
    ["I64", bytesOf(BigInt64Array.of(-(2n ** 63n))), [-(2 ** 63)]],
    ["F64", bytesOf(Float64Array.of(1 / 3, 1e300)), [Math.fround(1 / 3), Infinity]],
  ];
  test.each(cases)("%s, at any alignment", (dtype, data, expected) => {
    const shifted = new Uint8Array(data.length + 1).subarray(1);
    shifted.set(data);
    for (const bytes of [data, shifted, Buffer.from(shifted.buffer).subarray(1)]) {
      expect([...toFloat32({ dtype, shape: [data.length / ITEM_SIZE[dtype]], data: bytes })]).toEqual(expected);
    }
  });

  test("covers every dtype there is", () => {
    expect(cases.map(([dtype]) => dtype).sort()).toEqual(Object.keys(ITEM_SIZE).sort());
  });

  test("undoes fromFloat32", () => {
    fc.assert(
      fc.property(fc.float32Array({ noNaN: true }), (values) => {
        expect(toFloat32(fromFloat32(values, [values.length], "F32"))).toEqual(values);
        const halved = toFloat32(fromFloat32(values, [values.length], "F16"));
        expect(toFloat32(fromFloat32(halved, [values.length], "F16"))).toEqual(halved);
      }),
    );
  });

  test("refuses data of another length than the shape's", () => {
    expect(() => toFloat32({ dtype: "F32", shape: [2], data: new Uint8Array(4) })).toThrow(ShapeError);
    expect(() => fromFloat32(new Float32Array(3), [2], "F32")).toThrow(ShapeError);
  });
});

test("elementCount sees overflow, also before a zero", () => {
  expect(elementCount([])).toBe(1);
  expect(elementCount([2, 0, 3])).toBe(0);
  expect(elementCount([2 ** 30, 2 ** 30])).toBe(Infinity);
  expect(elementCount([2 ** 52, 2 ** 52, 0])).toBe(Infinity);
});

test("firstNonFinite", () => {
  expect(firstNonFinite(Float32Array.of(1, -0, 3e38))).toBe(-1);
  expect(firstNonFinite(Float32Array.of(1, Number.NaN, Infinity))).toBe(1);
  expect(firstNonFinite(Float32Array.of(1, 2, -Infinity))).toBe(2);
});
