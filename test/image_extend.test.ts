/** Pull-push: what is known stays, what is not comes from around it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ShapeError } from "../src/errors.js";
import { extend } from "../src/image/extend.js";
import { type FloatImage, newFloatImage } from "../src/image/float.js";

function image(width: number, height: number, value: (x: number, y: number) => number): FloatImage<1> {
  const out = newFloatImage(width, height, 1);
  for (let p = 0; p < out.data.length; p++) out.data[p] = value(p % width, Math.floor(p / width));
  return out;
}
const weights = (width: number, height: number, known: (x: number, y: number) => number): Float32Array =>
  image(width, height, known).data;

describe("extend", () => {
  it("keeps what is known to the bit, and stays between its extremes elsewhere", () => {
    const size = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(size, size, fc.integer({ min: 1, max: 23 }), (width, height, rarity) => {
        const source = image(width, height, (x, y) => ((x * 37 + y * 101) % 64) / 64);
        const known = weights(width, height, (x, y) => ((x * 7 + y * 13) % rarity === 0 ? 1 : 0));
        const result = extend(source, known).data;
        const values = source.data.filter((_, p) => known[p] === 1);
        // Means of float32: a rounding a level of the pyramid, and one a sum.
        const slack = 64 * 2 ** -24;
        for (let p = 0; p < result.length; p++) {
          if (known[p] === 1) expect(result[p]).toBe(source.data[p]);
          expect(result[p]).toBeGreaterThanOrEqual(Math.min(...values) - slack);
          expect(result[p]).toBeLessThanOrEqual(Math.max(...values) + slack);
        }
      }),
      { seed: 11, numRuns: 200 },
    );
  });

  it("takes the colour of the side it is on", () => {
    const source = image(64, 16, (x) => (x === 0 ? 0.25 : x === 63 ? 0.75 : 9));
    const result = extend(
      source,
      weights(64, 16, (x) => (x === 0 || x === 63 ? 1 : 0)),
    ).data;
    expect(result[5 * 64 + 8]).toBeCloseTo(0.25, 1);
    expect(result[5 * 64 + 55]).toBeCloseTo(0.75, 1);
    for (let x = 1; x < 64; x++)
      expect(result[5 * 64 + x]).toBeGreaterThanOrEqual((result[5 * 64 + x - 1] as number) - 1e-6);
  });

  it("many that are hardly to be trusted do not outweigh one that is", () => {
    const isSure = (x: number, y: number): boolean => x === 0 && y === 0;
    const source = image(32, 32, (x, y) => (isSure(x, y) ? 0.2 : 0.9));
    const known = weights(32, 32, (x, y) => (isSure(x, y) ? 1 : 0.02));
    // On each of five levels, up a quarter is the mean of one sure pixel and three poor ones, down a poor one keeps its share.
    expect(extend(source, known).data[31 * 32 + 31]).toBeCloseTo(0.9 - 0.7 * (0.98 / 1.06) ** 5, 5);
  });

  it("takes the share that is missing from around", () => {
    const source = image(8, 8, (x, y) => (x === 3 && y === 3 ? 1 : 0));
    const result = extend(
      source,
      weights(8, 8, (x, y) => (x === 3 && y === 3 ? 0.25 : 1)),
    );
    // The coarser pixel is the weighted mean of 0.25 of a one and three zeros, 1/13; its neighbours are zeros.
    expect(result.data[3 * 8 + 3]).toBeCloseTo(0.25 + 0.75 * (9 / 16) * (0.25 / 3.25), 6);
  });

  it("knows nothing where nothing is known, and refuses weights of another size", () => {
    const source = image(5, 3, () => 0.5);
    expect([...extend(source, new Float32Array(15)).data]).toEqual(new Array(15).fill(0));
    expect(() => extend(source, new Float32Array(14))).toThrow(ShapeError);
  });
});
