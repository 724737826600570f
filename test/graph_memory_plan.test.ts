/** Which storages share a buffer. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Lifetime, lowerBound, planBuffers } from "../src/graph/memory_plan.js";

const lifetimes = fc.array(
  fc
    .tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: -1, max: 40 }), fc.integer({ min: 0, max: 12 }))
    .map(([bytes, first, length]): Lifetime => ({ bytes: 4 * bytes, first, last: first + length })),
  { maxLength: 60 },
);
const total = (bytes: readonly number[]): number => bytes.reduce((sum, size) => sum + size, 0);

test("lifetimes that overlap never share a buffer, and every buffer is large enough", () => {
  fc.assert(
    fc.property(lifetimes, (held) => {
      const { bufferOf, bufferBytes } = planBuffers(held, true);
      held.forEach((a, i) => {
        expect(bufferBytes[bufferOf[i] ?? -1]).toBeGreaterThanOrEqual(a.bytes);
        held.forEach((b, j) => {
          if (i < j && a.first <= b.last && b.first <= a.last) expect(bufferOf[i]).not.toBe(bufferOf[j]);
        });
      });
    }),
    { seed: 20 },
  );
});

test("sharing never costs memory and never beats what is alive at once", () => {
  fc.assert(
    fc.property(lifetimes, (held) => {
      const shared = total(planBuffers(held, true).bufferBytes);
      const unshared = planBuffers(held, false);
      expect(unshared.bufferBytes).toHaveLength(held.length);
      expect(shared).toBeLessThanOrEqual(total(unshared.bufferBytes));
      expect(shared).toBeGreaterThanOrEqual(lowerBound(held));
    }),
    { seed: 20 },
  );
});

test("a chain of equal tensors needs two buffers", () => {
  const chain = Array.from({ length: 10 }, (_, i) => ({ bytes: 100, first: i, last: i + 1 }));
  expect(planBuffers(chain, true).bufferBytes).toEqual([100, 100]);
  expect(lowerBound(chain)).toBe(200);
});

test("the peak counts a tensor for as long as it is held", () => {
  expect(lowerBound([])).toBe(0);
  const held = [
    { bytes: 8, first: 0, last: 4 },
    { bytes: 4, first: 1, last: 1 },
    { bytes: 4, first: 2, last: 2 },
  ];
  expect(lowerBound(held)).toBe(12);
});
