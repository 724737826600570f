/** The tuner on a device: what it times, what it refuses, and that a tuned network computes what it should. */
import { beforeAll, describe, expect, test } from "vitest";
import { compile } from "../src/graph/compile.js";
import { type AnyOp, apply, type NodePlan, type Variant } from "../src/graph/op.js";
import { Runtime } from "../src/graph/runtime.js";
import { constant, input, sizeOf, type Tensor, variable } from "../src/graph/tensor.js";
import { accumulateGradientOp } from "../src/kernels/accumulate_gradient/op.js";
import { concat } from "../src/kernels/concat/op.js";
import { convTranspose2d } from "../src/kernels/conv_transpose2d/op.js";
import { type Conv2dAttrs, conv2d, conv2dOp } from "../src/kernels/conv2d/op.js";
import { add } from "../src/kernels/elementwise/op.js";
import { suites } from "../src/kernels/index.js";
import type { AnySuite } from "../src/kernels/suite.js";
import { fillArray } from "../src/kernels/suite.js";
import { problemsOf } from "../src/tuner/problems.js";
import { type TuneResult, tune } from "../src/tuner/tune.js";
import { adapterIdentity } from "../src/tuning/identity.js";
import { emptyTuning, type TuningFile, tableOf, withEntry } from "../src/tuning/table.js";
import { testDevice, withErrorScopes } from "./helpers/device.js";
import { f16Device, NO_F16 } from "./helpers/f16_device.js";
import { expectClose } from "./helpers/graphs.js";

let device: GPUDevice;
let runtime: Runtime;
beforeAll(async () => {
  const opened = await testDevice();
  device = opened.device;
  runtime = new Runtime(device, { software: opened.description.isSoftware, tuningTables: [] });
});

const ATTRS: Conv2dAttrs = { stride: 1, padding: 1, activation: "relu" };
const weights = (name: string, ...shape: number[]): Tensor => constant(name, shape, new Float32Array(sizeOf(shape)));
const convolution = (op: AnyOp, x = input("x", [1, 6, 6, 4])): Tensor =>
  apply(op, [x, weights("w", 3, 3, x.shape[3] ?? 0, 8), weights("b", 8)], ATTRS, {});
const opOf = (variants: readonly Variant<Conv2dAttrs>[]): AnyOp => ({ ...conv2dOp, variants }) as AnyOp;

const conv2dSuite = suites.find(({ op }) => op.name === "conv2d") as AnySuite;
const [direct] = conv2dOp.variants.slice(-1) as [Variant<Conv2dAttrs>];
const mutant = (name: string, change: (plan: NodePlan) => NodePlan): Variant<Conv2dAttrs> => ({
  ...direct,
  name,
  plan: (problem, capabilities) => change(direct.plan(problem, capabilities)),
});
/** Fast, because it leaves half of the output as it was. */
const half = mutant("half", ({ passes }) => ({
  passes: passes.map((pass) => ({ ...pass, workgroups: [Math.floor(pass.workgroups[0] / 2), 1, 1] as const })),
}));
/** Adds no bias. */
const unbiased = mutant("unbiased", ({ passes }) => ({
  passes: passes.map((pass) => ({ ...pass, overrides: { ...pass.overrides, HAS_BIAS: 0 } })),
}));
const twice = mutant("twice", ({ passes }) => ({ passes: [...passes, ...passes, ...passes, ...passes] }));

/** Writes one element too far, which of two halves that share a word only the right one shows. */
const shifted = mutant("shifted", ({ passes }) => ({
  passes: passes.map((pass) => ({
    ...pass,
    overrides: { ...pass.overrides, Y_OFFSET: 1, SIZE: sizeOf([1, 5, 5, 3]) - 1 },
  })),
}));

const tuneOne = async (op: AnyOp, options: Parameters<typeof tune>[2] = {}): Promise<TuneResult> => {
  const { results } = await withErrorScopes(device, () =>
    tune(runtime, [{ outputs: { y: convolution(op) } }], { budgetMs: 20, suites: [conv2dSuite], ...options }),
  );
  expect(results).toHaveLength(1);
  return results[0] as TuneResult;
};

describe("problems", () => {
  test("are those of a graph, as they lie in it, each once", () => {
    const x = input("x", [1, 6, 6, 4]);
    const part = convolution(conv2dOp as AnyOp, x);
    const again = convolution(conv2dOp as AnyOp, x);
    const joined = concat([convolution(conv2dOp as AnyOp, x), add(part, again)]);
    const found = problemsOf([{ outputs: { joined } }]);
    const attrs = JSON.stringify(ATTRS);
    expect(Object.fromEntries(found.map(({ key, count }) => [key, count]))).toEqual({
      "add 1x6x6x8,1x6x6x8 -> 1x6x6x8/16+8 {}": 1,
      [`conv2d 1x6x6x4,const 3x3x4x8,const 8 ${attrs}`]: 2,
      [`conv2d 1x6x6x4,const 3x3x4x8,const 8 -> 1x6x6x8/16+0 ${attrs}`]: 1,
    });
    expect(found[0]?.key).toMatch(/^add/); // the least work first
  });
});

test("problems stored as f16 are checked half by half", async () => {
  const halves = await f16Device();
  if (!halves) return void console.warn(`skipped: ${NO_F16}`);
  const own = new Runtime(halves, { tuningTables: [] });
  const stored = (name: string, ...shape: number[]) => constant(name, shape, new Float32Array(sizeOf(shape)), "f16");
  const inputs = [input("x", [1, 5, 5, 3], "f16"), stored("w", 3, 3, 3, 3), weights("b", 3)];
  const y = apply(opOf([shifted, unbiased, direct]), inputs, ATTRS, {});
  const { results } = await tune(own, [{ outputs: { y } }], { budgetMs: 20, suites: [conv2dSuite] });
  expect(results[0]?.key).toContain("1x5x5x3:f16,const 3x3x3x3:f16,const 3 -> 1x5x5x3:f16");
  expect(results[0]?.entry).toMatchObject({ variant: "direct" });
  expect(results[0]?.rejected.map(({ variant, why }) => [variant, why])).toEqual([
    ["shifted", "wrong"],
    ["unbiased", "wrong"],
  ]);
  own.dispose();
});

describe("a variant", () => {
  test("that computes wrongly is reported and not chosen, however fast", async () => {
    const { entry, rejected, timed } = await tuneOne(opOf([half, twice, unbiased, direct]));
    // The list's first is the default, and wrong here.
    expect(entry).toMatchObject({ variant: "direct", default: "half", defaultMs: null });
    expect(rejected.map(({ variant, why }) => [variant, why])).toEqual([
      ["half", "wrong"],
      ["unbiased", "wrong"],
    ]);
    expect(rejected[0]?.detail).toMatch(/^output 0\[\d+\] is NaN, expected/);
    expect(Object.keys(timed).sort()).toEqual(["direct", "twice"]);
  });

  test("that is not faster leaves the default", async () => {
    const { entry } = await tuneOne(opOf([direct, twice]));
    expect(entry).toMatchObject({ variant: "direct", default: "direct" });
    expect(entry?.ms).toBe(entry?.defaultMs);
  });

  test("none of which computes right leaves no entry", async () => {
    const { entry, rejected } = await tuneOne(opOf([half, unbiased]));
    expect(entry).toBeNull();
    expect(rejected).toHaveLength(2);
  });

  test("for which there is no room is left out", async () => {
    const before = runtime.memory.limitBytes;
    runtime.memory.limitBytes = runtime.memory.liveBytes + 100;
    const { entry, rejected } = await tuneOne(opOf([direct, twice]));
    runtime.memory.limitBytes = before;
    expect(entry).toBeNull();
    expect(rejected).toEqual([expect.objectContaining({ why: "memory" })]);
  });
});

test("what an op overwrites starts anew for each variant", async () => {
  const [only] = accumulateGradientOp.variants as [Variant<object>];
  const op = { ...accumulateGradientOp, variants: [{ ...only, name: "first" }, only] } as AnyOp;
  const sum = variable("sum", [64], () => new Float32Array(64));
  const effects = [apply(op, [sum, input("g", [64]), input("reset", [1])], {})];
  const { results } = await tune(runtime, [{ outputs: {}, effects }], { budgetMs: 10 });
  expect(results[0]).toMatchObject({ rejected: [], timed: { first: expect.any(Number), direct: expect.any(Number) } });
});

test("a tiny network is tuned, goes on after an interruption, and computes the same", async () => {
  const filled = (name: string, ...shape: number[]): Tensor =>
    constant(
      name,
      shape,
      Float32Array.from(fillArray(shape, sizeOf(shape)).data, (value) => value / 8),
    );
  const x = input("x", [1, 12, 12, 4]);
  const skip = conv2d(x, filled("w0", 3, 3, 4, 8), filled("b0", 8), ATTRS);
  const down = conv2d(skip, filled("w1", 4, 4, 8, 8), null, { stride: 2, padding: 1 });
  const up = convTranspose2d(down, filled("w2", 4, 4, 8, 8), null, { stride: 2, padding: 1, outputPadding: [0, 0] });
  const y = conv2d(concat([skip, up]), filled("w3", 3, 3, 16, 4), null, { stride: 1, padding: 1 });
  const graphs = [{ outputs: { y } }];
  const stop = new AbortController();
  let kept: TuningFile | undefined;
  const first = await tune(runtime, graphs, {
    budgetMs: 10,
    signal: stop.signal,
    onResult: (_, table) => {
      kept = table;
      if (Object.keys(table.entries).length === 2) stop.abort();
    },
  });
  expect(first).toMatchObject({ skipped: 0, left: 2, table: kept });
  expect(first.results).toHaveLength(2);

  const progress: number[] = [];
  const second = await tune(runtime, graphs, {
    budgetMs: 10,
    table: kept ?? null,
    onProgress: ({ done, total }) => progress.push(done / total),
  });
  expect(second).toMatchObject({ skipped: 2, left: 0 });
  expect(second.table.entries).toMatchObject(first.table.entries);
  expect(progress).toEqual([0, 0.5, 1]);
  const rejected = [...first.results, ...second.results].flatMap((result) => result.rejected);
  expect(rejected.filter(({ why }) => why !== "slow")).toEqual([]);
  expect(runtime.memory.liveBytes).toBeLessThanOrEqual(64); // the zeros for absent operands

  const values = Float32Array.from(fillArray(x.shape, 1).data);
  const outputs: Float32Array[] = [];
  // The table's choices, and other ones, so that it is seen to decide.
  const other = new Map(Object.keys(second.table.entries).map((key) => [key, "direct"]));
  for (const tuning of [tableOf(second.table), other]) {
    const plan = await compile(runtime, { y }, { tuning });
    expect(Object.fromEntries(plan.parts.choices)).toMatchObject(Object.fromEntries(tuning));
    outputs.push((await plan.run({ x: values })).outputs.y ?? new Float32Array(0));
    await plan.dispose();
  }
  expectClose(outputs[0], outputs[1]);
});

test("a table of another engine's version is measured anew, one of another adapter's not gone on from", async () => {
  const mine = emptyTuning(adapterIdentity(device));
  const key = problemsOf([{ outputs: { y: convolution(opOf([direct, twice])) } }])[0]?.key ?? "";
  const entry = { variant: "twice", ms: 1, default: "direct", defaultMs: 2 };
  const run = (table: TuningFile) =>
    tune(runtime, [{ outputs: { y: convolution(opOf([direct, twice])) } }], {
      budgetMs: 10,
      suites: [conv2dSuite],
      table,
    });
  const known = withEntry(withEntry(mine, key, entry), "another", entry);
  expect(await run(known)).toMatchObject({ skipped: 1, results: [] });
  const stale = await run({ ...known, engine: "0.0.1" });
  expect(stale.table.entries).toMatchObject({ [key]: { variant: "direct" }, another: entry });
  const foreign = await run({ ...known, adapter: { ...known.adapter, vendor: "acme" } });
  expect(Object.keys(foreign.table.entries)).toEqual([key]);
});

test("what a graph's own nodes force is left to them, and a table decides for the others", async () => {
  const x = input("x", [1, 6, 6, 4]);
  const plan = async (variant?: string) => {
    const y = apply(conv2dOp, [x, weights("w", 3, 3, 4, 8), weights("b", 8)], ATTRS, { variant });
    const [key = ""] = problemsOf([{ outputs: { y } }]).map((one) => one.key);
    const compiled = await compile(runtime, { y }, { tuning: new Map([[key, "direct"]]) });
    await compiled.dispose();
    return compiled.parts.dispatches.at(-1)?.variant;
  };
  expect(await plan()).toBe("direct");
  expect(await plan("subgroup")).toBe("subgroup");
});
