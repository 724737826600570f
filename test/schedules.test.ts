/** Learning rates over a run. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../src/errors.js";
import { learningRate, SCHEDULES, type Schedule } from "../src/train/schedules.js";

const rates = (schedule: Schedule, total: number): number[] =>
  Array.from({ length: total }, (_, step) => learningRate(schedule, step, total));

test("constant stays", () => {
  expect(rates({ name: "constant", lr: 0.25 }, 4)).toEqual([0.25, 0.25, 0.25, 0.25]);
});

test("warm-up rises in a line and reaches lr at its last step", () => {
  expect(rates({ name: "constant", lr: 1, warmup: 4 }, 6)).toEqual([0.25, 0.5, 0.75, 1, 1, 1]);
});

test("step falls at its milestones", () => {
  const found = rates({ name: "step", lr: 1, milestones: [0.5, 0.75], factor: 0.5 }, 8);
  expect(found).toEqual([1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25]);
});

test("step falls like iS2AM where nothing else is said", () => {
  const found = rates({ name: "step", lr: 1 }, 120);
  expect(found.filter((rate) => rate === 1).length).toBe(105);
  expect(found[114]).toBeCloseTo(0.1, 12);
  expect(found[115]).toBeCloseTo(0.01, 12);
});

test("cosine equals PyTorch's CosineAnnealingLR", () => {
  const expected = [0.4, 0.386298316, 0.347279221, 0.288883018, 0.22, 0.151116982, 0.092720779, 0.053701684];
  const schedule: Schedule = { name: "cosine", lr: 0.4, floor: 0.1 };
  rates(schedule, 8).forEach((rate, step) => {
    expect(rate).toBeCloseTo(expected[step] ?? Number.NaN, 8);
  });
  expect(learningRate(schedule, 8, 8)).toBeCloseTo(0.04, 12);
  expect(learningRate(schedule, 1000, 8)).toBeCloseTo(0.04, 12);
});

test("cosine falls from the end of the warm-up, or from where it is told to", () => {
  const warm = rates({ name: "cosine", lr: 1, warmup: 2 }, 6);
  expect(warm.slice(0, 3)).toEqual([0.5, 1, 1]);
  expect(warm[4]).toBeCloseTo(0.5, 12);
  const held = rates({ name: "cosine", lr: 1, hold: 0.6 }, 10);
  expect(held.slice(0, 7)).toEqual([1, 1, 1, 1, 1, 1, 1]);
  expect(held[8]).toBeCloseTo(0.5, 12);
});

test("a rate is never above lr, rises only in the warm-up, and depends on the step alone", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const schedules = fc.record({
    name: fc.constantFrom(...SCHEDULES),
    lr: fc.double({ min: 1e-6, max: 10, noNaN: true }),
    warmup: fc.nat(30),
    factor: fc.double({ min: 1e-3, max: 1, noNaN: true }),
    floor: share,
    hold: fc.double({ min: 0, max: 0.99, noNaN: true }),
  });
  fc.assert(
    fc.property(schedules, fc.integer({ min: 1, max: 60 }), (schedule, total) => {
      const found = rates(schedule, total);
      found.forEach((rate, step) => {
        const before = found[step - 1] ?? rate;
        expect(rate).toBeGreaterThanOrEqual(0);
        expect(rate).toBeLessThanOrEqual(schedule.lr * (1 + 1e-12));
        if (step >= schedule.warmup) expect(rate).toBeLessThanOrEqual(before * (1 + 1e-12));
      });
    }),
    { seed: 7 },
  );
});

describe("refuses", () => {
  const refused: readonly (readonly [string, Schedule])[] = [
    ["a rate of 0", { name: "constant", lr: 0 }],
    ["a rate that is no number", { name: "constant", lr: Number.NaN }],
    ["a broken warm-up", { name: "constant", lr: 1, warmup: 1.5 }],
    ["milestones that fall", { name: "step", lr: 1, milestones: [0.8, 0.5] }],
    ["a milestone past the end", { name: "step", lr: 1, milestones: [1.2] }],
    ["a factor above 1", { name: "step", lr: 1, factor: 2 }],
    ["to hold for the whole run", { name: "cosine", lr: 1, hold: 1 }],
    ["a floor above lr", { name: "cosine", lr: 1, floor: 1.5 }],
  ];
  test.each(refused)("%s", (_name, schedule) => {
    expect(() => learningRate(schedule, 0, 10)).toThrow(UsageError);
  });

  test("steps that are no steps", () => {
    const schedule: Schedule = { name: "constant", lr: 1 };
    expect(() => learningRate(schedule, -1, 10)).toThrow(UsageError);
    expect(() => learningRate(schedule, 0, 0)).toThrow(UsageError);
  });
});
