/** Orders and augmentations: random to look at, and the same bits for the same seed. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { augment, flip, type Pictures } from "../src/data/augment.js";
import { augmentationSeed, batchesPerEpoch, EpochOrders, nextPosition, startOfBatch } from "../src/data/order.js";
import { Prefetch } from "../src/data/prefetch.js";
import { newFloatImage, toFloatRgb } from "../src/image/float.js";
import { maskFromImage } from "../src/image/mask.js";
import { resize } from "../src/image/resize.js";
import { hashKeys, hashText, mulberry32, permutation } from "../src/random.js";
import { triple } from "./helpers/datasets.js";

function pictures(number: number, width = 40, height = 30): Pictures {
  const { composite, mask, target } = triple(number, { width, height });
  return { composite: toFloatRgb(composite), mask: maskFromImage(mask), target: toFloatRgb(target) };
}

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const sum = (values: Float32Array): number => values.reduce((all, value) => all + value, 0);

describe("augment", () => {
  test("gives the same bits for the same numbers, others for others, at the size asked for", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 50 }), (seed, size) => {
        const input = pictures(seed % 7);
        const once = augment(input, size, mulberry32(seed));
        expect(augment(input, size, mulberry32(seed))).toEqual(once);
        for (const [image, channels] of [
          [once.composite, 3],
          [once.mask, 1],
          [once.target, 3],
        ] as const)
          expect(image).toMatchObject({ width: size, height: size, channels });
        if (size > 4)
          expect(augment(input, size, mulberry32(seed ^ 1)).composite.data).not.toEqual(once.composite.data);
        for (const { data } of [once.composite, once.mask, once.target])
          expect(data.every((value) => value >= 0 && value <= 1)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test("changes all three alike: outside the mask composite and photograph stay equal to the last bit", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { composite, mask, target } = augment(pictures(seed % 7), 24, mulberry32(seed));
        mask.data.forEach((value, i) => {
          if (value > 0) return;
          expect(composite.data.slice(3 * i, 3 * i + 3)).toEqual(target.data.slice(3 * i, 3 * i + 3));
        });
        expect(mask.data.some((value) => value === 0)).toBe(true);
        expect(composite.data).not.toEqual(target.data);
      }),
      { numRuns: 40 },
    );
  });

  test("keeps half of the foreground at least, also of one in a corner", () => {
    const { composite, target } = pictures(0, 64, 64);
    const mask = newFloatImage(64, 64, 1);
    for (let y = 0; y < 8; y++) mask.data.fill(1, y * 64, y * 64 + 8);
    fc.assert(
      fc.property(seeds, (seed) => {
        const small = augment({ composite, mask, target }, 64, mulberry32(seed)).mask;
        expect(sum(small.data)).toBeGreaterThanOrEqual(31); // half of 64, and what resizing rounds away
      }),
      { numRuns: 60 },
    );
  });

  test("crops, flips and colours in every way it may", () => {
    const input = pictures(3, 50, 50);
    const grey: Pictures = { ...input, target: { ...input.target, data: input.target.data.map(() => 0.5) } };
    const means = Array.from({ length: 300 }, (_, seed) => sum(augment(grey, 8, mulberry32(seed)).target.data) / 192);
    // On gray only the brightness shows.
    expect(Math.min(...means)).toBeGreaterThanOrEqual(0.45 - 1e-6);
    expect(Math.max(...means)).toBeLessThanOrEqual(0.55 + 1e-6);
    expect(Math.max(...means) - Math.min(...means)).toBeGreaterThan(0.095);

    const ramp = newFloatImage(50, 50, 1);
    ramp.data.forEach((_, i) => {
      ramp.data[i] = (i % 50) / 50;
    });
    const ends = Array.from({ length: 400 }, (_, seed) => {
      const { data } = augment({ ...input, mask: ramp }, 50, mulberry32(seed)).mask;
      return { left: data[0] ?? 0, right: data[49] ?? 0 };
    });
    const flipped = ends.filter(({ left, right }) => left > right);
    expect(flipped.length / ends.length).toBeCloseTo(0.5, 1);
    const spans = ends.map(({ left, right }) => Math.abs(right - left));
    expect(Math.min(...spans)).toBeGreaterThan(0.66);
    expect(Math.min(...spans)).toBeLessThan(0.75);
    expect(Math.max(...spans)).toBeGreaterThan(0.95);
  });

  test("a picture flipped twice is the picture", () => {
    const { composite } = pictures(1);
    expect(flip(flip(composite))).toEqual(composite);
    const half = resize(composite, 20, 15);
    expect(resize(flip(composite), 20, 15).data[0]).toBeCloseTo(half.data[19 * 3] ?? 0, 6);
  });
});

describe("the order of examples", () => {
  test("holds each once an epoch, and is another for every epoch and seed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), seeds, fc.nat(1000), (length, seed, epoch) => {
        const orders = new EpochOrders(length, seed);
        const orderOf = (which: number): number[] =>
          Array.from({ length }, (_, index) => orders.at({ epoch: which, index }));
        const order = orderOf(epoch);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
        expect(orderOf(epoch)).toEqual(order);
        expect(orders.at({ epoch, index: length + 3 })).toBe(order[3 % length]);
        if (length < 20) return;
        expect(orderOf(epoch + 1)).not.toEqual(order);
        expect(orderOf(epoch)).toEqual(order);
        const other = new EpochOrders(length, seed + 1);
        expect(order.map((_, index) => other.at({ epoch, index }))).not.toEqual(order);
      }),
    );
  });

  test("is cut into whole batches; what is left over waits for another epoch", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 70 }), (length, batch) => {
        let position = { epoch: 5, index: 0 };
        const steps = batchesPerEpoch(length, batch);
        for (let step = 0; step < steps; step++) {
          expect(position).toEqual({ epoch: 5, index: step * batch });
          position = nextPosition(position, length, batch);
        }
        expect(position).toEqual({ epoch: 6, index: 0 });
        expect(startOfBatch({ epoch: 2, index: length }, length, batch)).toEqual({ epoch: 3, index: 0 });
      }),
    );
  });

  test("every place has a seed of its own", () => {
    const found = new Set<number>();
    for (let seed = 0; seed < 5; seed++)
      for (let epoch = 0; epoch < 20; epoch++)
        for (let index = 0; index < 50; index++) found.add(augmentationSeed(seed, { epoch, index }));
    expect(found.size).toBe(5000);
  });
});

describe("random numbers", () => {
  test("hashes count every key, its upper half and its place", () => {
    const different = [[], [0], [0, 0], [1], [1, 0], [0, 1], [2 ** 32], [2 ** 53 - 1], [2 ** 52]].map((keys) =>
      hashKeys(...keys),
    );
    expect(new Set(different).size).toBe(different.length);
    // MurmurHash3 (x86, 32 bits, seed 0) of the eight bytes 1 0 0 0 0 0 0 0.
    expect(hashKeys(1)).toBe(1392991556);
    expect(hashText("photo1")).not.toBe(hashText("photo2"));
    expect(hashText("ab")).not.toBe(hashText("ba"));
  });

  test("a permutation favours no place", () => {
    const uniform = mulberry32(7);
    const counts = new Uint32Array(16);
    for (let i = 0; i < 8000; i++)
      for (const [at, value] of permutation(4, uniform).entries())
        counts[4 * at + value] = (counts[4 * at + value] ?? 0) + 1;
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200);
  });
});

test("what is fetched ahead stays within its window, and errors wait until they are asked for", async () => {
  const asked: number[] = [];
  const ahead = new Prefetch(6, 2, async (index) => {
    asked.push(index);
    if (index === 2) throw new Error("bad");
    return index * 10;
  });
  expect(await ahead.get(0)).toBe(0);
  expect(asked).toEqual([0, 1, 2]);
  expect(await ahead.get(1)).toBe(10);
  await expect(ahead.get(2)).rejects.toThrow("bad");
  expect(asked).toEqual([0, 1, 2, 3, 4]);
  expect(await ahead.get(5)).toBe(50);
  expect(await ahead.get(0)).toBe(0);
  expect(asked).toEqual([0, 1, 2, 3, 4, 5, 0, 1, 2]);
  const alone = new Prefetch(3, 0, async (index) => index);
  expect([await alone.get(2), await alone.get(0)]).toEqual([2, 0]);
});
