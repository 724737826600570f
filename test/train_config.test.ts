/** The settings of a training: every wrong one is named, defaults fit together, a resumed run stays the run it was. */
import { describe, expect, test } from "vitest";
import { UsageError } from "../src/errors.js";
import {
  cutBatch,
  parseSettings,
  resolveConfig,
  resumeConfig,
  type Settings,
  scheduleOf,
} from "../src/train/config.js";
import { learningRate } from "../src/train/schedules.js";

const parse = (value: unknown): Settings => parseSettings(value, (key) => `x.json: ${key}`);
const BASE: Settings = { data: "/photos", steps: 100 };

describe("what may be said", () => {
  test.each([
    [{ nosuch: 1 }, /x\.json: nosuch is no setting; there are data, val, valShare/],
    [{ lr: "fast" }, /x\.json: lr must be a number above 0, got "fast"/],
    [{ lr: 0 }, /lr must be a number above 0, got 0/],
    [{ lr: Number.POSITIVE_INFINITY }, /lr must be/],
    [{ batch: 2.5 }, /batch must be a whole number from 1, got 2.5/],
    [{ size: 16 }, /size must be a whole number from 32, got 16/],
    [{ arch: "vgg" }, /arch must be one of unet, s2asc, s2ad, got "vgg"/],
    [{ loss: "gan" }, /loss must be one of mse, l1, fn_mse, fn_log/],
    [{ globalSkip: 1 }, /globalSkip must be true or false, got 1/],
    [{ data: "" }, /data must be a text that is not empty/],
    [{ milestones: "0.5" }, /milestones must be/],
    [{ milestones: [0.5, 2] }, /milestones must be a number from 0 to 1, got 2/],
    [{ seed: -1 }, /seed must be a whole number from 0/],
    [[], /must be an object of settings/],
    [null, /x\.json: must be an object of settings, got null/],
    ["text", /must be an object/],
    [JSON.parse('{"__proto__": {"lr": 1}}'), /is no setting/],
  ])("%j", (value, message) => {
    expect(() => parse(value)).toThrow(message);
    expect(() => parse(value)).toThrow(UsageError);
  });
});

describe("what holds", () => {
  test("the paper's, where nothing is said", () => {
    expect(resolveConfig(BASE)).toMatchObject({
      arch: "s2ad",
      width: 64,
      levels: 8,
      size: 256,
      batch: 8,
      lr: 1e-3,
      loss: "mse",
      optimizer: "adam",
    });
  });

  test.each([
    [32, 5],
    [64, 6],
    [128, 7],
    [256, 8],
    [512, 8],
    [768, 8],
  ])("%i pixels have %i levels", (size, levels) => {
    expect(resolveConfig({ ...BASE, size }).levels).toBe(levels);
  });

  test("the stronger source wins, also over the other way to say how long", () => {
    expect(resolveConfig({ ...BASE, lr: 1 }, { lr: 2 })).toMatchObject({ lr: 2, steps: 100, epochs: null });
    expect(resolveConfig(BASE, { epochs: 3 })).toMatchObject({ steps: null, epochs: 3 });
    expect(resolveConfig({ data: "/photos", epochs: 3 }, { steps: 5 })).toMatchObject({ steps: 5, epochs: null });
  });

  test.each([
    [{ steps: 1 }, /--data DIR/],
    [{ data: "/photos" }, /--steps N or --epochs N/],
    [{ ...BASE, epochs: 1 }, /not both/],
    [{ ...BASE, size: 160 }, /multiple of 128 for 7 levels.*got 160/],
    [{ ...BASE, width: 4 }, /s2ad needs a width of at least 8/],
    [{ ...BASE, size: 64, levels: 4 }, /levels must be/],
    [{ ...BASE, milestones: [0.9, 0.5] }, /milestones must be rising/],
  ] satisfies [Settings, RegExp][])("%j is refused", (settings, message) => {
    expect(() => resolveConfig(settings)).toThrow(message);
    expect(() => resolveConfig(settings)).toThrow(UsageError);
  });

  test("the same settings are the same text, whatever their order", () => {
    const one = resolveConfig({ lr: 0.1, ...BASE, width: 16 });
    expect(JSON.stringify(resolveConfig(parse(JSON.parse(JSON.stringify(one)))))).toBe(JSON.stringify(one));
    expect(JSON.stringify(resolveConfig({ width: 16, ...BASE, lr: 0.1 }))).toBe(JSON.stringify(one));
  });

  test("the schedule takes its numbers from them", () => {
    const config = resolveConfig({ ...BASE, schedule: "cosine", warmup: 10, hold: 0.5, floor: 0.1, lr: 0.2 });
    const rates = [0, 9, 49, 100].map((step) => learningRate(scheduleOf(config), step, 100));
    expect(rates).toEqual([0.02, 0.2, 0.2, 0.02].map((rate) => expect.closeTo(rate, 12)));
  });
});

describe("a run that goes on", () => {
  const saved = resolveConfig({ ...BASE, width: 16, batch: 4 });

  test("may be told to go further, validate less, and find its pictures elsewhere", () => {
    const said: Settings = { epochs: 9, valEvery: 2, data: "/moved", saveEvery: 10, strict: true };
    expect(resumeConfig("run", saved, said)).toEqual({ ...saved, ...said, steps: null });
  });

  test("may be told again what it is", () => {
    expect(resumeConfig("run", saved, { ...BASE, width: 16, batch: 4 })).toEqual(saved);
  });

  test.each([
    [{ arch: "unet" }, /run was trained with arch "s2ad", not "unet".*--init run\/last\.safetensors/],
    [{ width: 32 }, /width 16, not 32/],
    [{ lr: 1 }, /lr 0.001, not 1/],
    [{ batch: 2 }, /batch 4, not 2/],
    [{ seed: 3 }, /seed 0, not 3/],
  ] satisfies [Settings, RegExp][])("is no other run: %j", (said, message) => {
    expect(() => resumeConfig("run", saved, said)).toThrow(message);
  });

  test("goes on as it was cut, asked for as before", () => {
    const cut = cutBatch(saved, 1);
    expect(cut).toMatchObject({ batch: 2, accumulate: 2, batchAsked: 4 });
    if (!cut) return;
    expect(resumeConfig("run", cut, { batch: 4, accumulate: 1, steps: 200 })).toEqual({ ...cut, steps: 200 });
    expect(resumeConfig("run", cut, { batch: 2, accumulate: 2 })).toEqual(cut);
    expect(() => resumeConfig("run", cut, { batch: 8 })).toThrow(/batch 2, not 8/);
  });
});

test("a batch is cut until nothing smaller divides it", () => {
  const sizes = (batch: number, least: number): [number, number][] => {
    const found: [number, number][] = [];
    for (let config = cutBatch(resolveConfig({ ...BASE, batch }), least); config; config = cutBatch(config, least)) {
      found.push([config.batch, config.accumulate]);
      expect(config.batchAsked).toBe(batch);
    }
    return found;
  };
  expect(sizes(8, 1)).toEqual([
    [4, 2],
    [2, 4],
    [1, 8],
  ]);
  expect(sizes(8, 2)).toEqual([
    [4, 2],
    [2, 4],
  ]);
  expect(sizes(6, 1)).toEqual([
    [3, 2],
    [1, 6],
  ]);
  expect(sizes(7, 2)).toEqual([]);
});
