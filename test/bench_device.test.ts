/** What the bench reads off plans and measures on a device: costs, planned memory, the roofline, the command as a whole. */
import { existsSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { fmaShapes, measureArithmetic } from "../bench/roofline/arithmetic.js";
import { PassClock } from "../bench/roofline/clock.js";
import { compile } from "../src/graph/compile.js";
import { plannedMemory } from "../src/graph/plan_graph.js";
import { Runtime } from "../src/graph/runtime.js";
import { constant, input } from "../src/graph/tensor.js";
import { conv2d } from "../src/kernels/conv2d/op.js";
import { relu } from "../src/kernels/ops.js";
import { DEFAULT_CONFIG, type ModelConfig } from "../src/model/config.js";
import { initialTensors } from "../src/model/init.js";
import { Network } from "../src/model/network.js";
import { loadModel } from "../src/model/weights.js";
import { TrainStep } from "../src/train/train_step.js";
import { workspace } from "./helpers/command_line.js";
import { testDevice } from "./helpers/device.js";

const CONFIG: ModelConfig = { ...DEFAULT_CONFIG, arch: "unet", width: 4, levels: 5 };
let runtime: Runtime;
let software: boolean;
beforeAll(async () => {
  const { device, description } = await testDevice();
  software = description.isSoftware;
  runtime = new Runtime(device, { software });
});

describe("costs", () => {
  test("least bytes are inputs and outputs once, the same for every variant; threads are the dispatch's", async () => {
    const x = input("x", [1, 8, 8, 16]);
    const w = constant("w", [3, 3, 16, 32], new Float32Array(3 * 3 * 16 * 32));
    const attrs = { stride: 1, padding: 1 } as const;
    for (const variant of ["direct", undefined]) {
      const y = conv2d(x, w, null, attrs, { variant });
      const plan = await compile(runtime, { y: relu(y) });
      const [first, last] = [plan.parts.dispatches.filter(({ op }) => op === "conv2d"), plan.parts.dispatches.at(-1)];
      const total = (key: "minBytes" | "flops") => first.reduce((sum, one) => sum + one[key], 0);
      expect(total("minBytes")).toBe(4 * (8 * 8 * 16 + 3 * 3 * 16 * 32 + 8 * 8 * 32));
      expect(total("flops")).toBe(2 * 8 * 8 * 32 * 9 * 16);
      expect(new Set(first.map(({ nodeId }) => nodeId)).size).toBe(1);
      expect(last?.minBytes).toBe(2 * 4 * 8 * 8 * 32);
      for (const { invocations, workgroups } of plan.parts.dispatches) {
        expect(invocations).toBeGreaterThanOrEqual(workgroups.reduce((a, b) => a * b));
      }
      await plan.dispose();
    }
  });
});

describe("planned memory", () => {
  test("of a network is what compiling it takes", async () => {
    const model = loadModel(initialTensors(CONFIG, 1), {}, CONFIG);
    const network = new Network(model, runtime.device, { software });
    const planned = plannedMemory(network.runtime, { y: network.graph([1, 32, 32]).y });
    const { activationBytes, scratchBytes, weightBytes } = (await network.plan([1, 32, 32])).parts;
    expect(planned).toEqual({ activationBytes, scratchBytes, weightBytes });
    expect(activationBytes).toBeGreaterThanOrEqual(scratchBytes);
    expect(weightBytes).toBeGreaterThan(0);
    await network.dispose();
  });

  test("of a training step too, and planning allocates nothing", async () => {
    const own = new Runtime(runtime.device, { software });
    const asked = { config: CONFIG, batch: 2, size: 32, loss: "mse", optimizer: { name: "adam" } } as const;
    const planned = TrainStep.plannedMemory(own, asked, initialTensors(CONFIG, 1));
    expect(own.memory.liveBytes).toBe(0);
    const training = await TrainStep.create(own, asked, initialTensors(CONFIG, 1));
    expect(planned).toEqual(training.memory);
    const x = new Float32Array(2 * 32 * 32 * 4).fill(0.5);
    const target = new Float32Array(2 * 32 * 32 * 3);
    const profile = own.device.features.has("timestamp-query");
    const { timings } = await training.step({ x, target }, { lr: 1e-3, profile });
    expect(timings).toHaveLength(profile ? training.dispatches.length : 0);
    timings.forEach(({ startMs, ms }) => {
      expect(startMs).toBeGreaterThanOrEqual(0);
      expect(ms).toBeGreaterThanOrEqual(0);
    });
    expect((await training.step({ x, target }, { lr: 1e-3 })).timings).toEqual([]);
    await training.dispose();
    own.dispose();
  });
});

test("the peak's loop computes what it should in both element types, and takes time", async () => {
  const clock = new PassClock(runtime);
  const before = runtime.memory.liveBytes;
  const elements = runtime.device.features.has("shader-f16") ? (["f32", "f16"] as const) : (["f32"] as const);
  for (const element of elements) {
    const shapes = fmaShapes(element).filter(({ workgroup }) => workgroup === 64);
    expect(shapes).toHaveLength(4);
    const { gflops, saturatingThreads, passMs } = await measureArithmetic(runtime, clock, shapes);
    expect(gflops).toBeGreaterThan(0);
    expect(gflops).toBeLessThan(1e9);
    expect(saturatingThreads === null).toBe(software);
    expect(passMs).toBeGreaterThan(0);
  }
  expect(runtime.memory.liveBytes).toBe(before);
  clock.dispose();
});

const work = workspace();
const TINY = ["--model", "unet", "--width", "4", "--levels", "5", "--size", "32", "--seconds", "0.05"];
const KERNEL = ["bench", "--kernels", "--no-model", "--filter", "linear 1x8-128", "--seconds", "0.05", "--no-roofline"];

describe("s2am bench", () => {
  test("gives the JSON, the page and the trace that it promises", async () => {
    const files = ["--output", "o.json", "--html", "o.html", "--trace", "o.trace.json"];
    const args = ["bench", ...TINY, "--batch", "2", "--train", "--kernels", "--filter", "linear 1x8-128", ...files];
    const found = await work.done(args, { timeoutMs: 300_000 });
    const number = expect.any(Number);
    const floor = { floorMs: number, percentOfFloor: number, bound: expect.stringMatching(/compute|memory/) };
    const cost = { bytes: number, movedBytes: number, dispatches: number };
    const times = { msMedian: number, msMin: number, msP95: number, spread: number };
    expect(found).toMatchObject({
      roofline: { peakGflops: number, bandwidthGBps: number, copyBufferGBps: number, passMs: number },
      model: { name: "unet", ...floor, ...cost, ...times, activationBytes: number, peakBytes: number },
      training: { name: "unet", batch: 2, ...floor, ...cost, ...times, activationBytes: number, peakBytes: number },
      plannedTraining: { batch: 8, keeping: { activationBytes: number }, recomputing: { activationBytes: number } },
    });
    expect(found.kernels).toMatchObject([
      { op: "linear", flops: number, limit: expect.any(String), ...floor, ...cost, ...times },
    ]);
    expect(JSON.parse(readFileSync(work.path("o.json"), "utf8"))).toEqual(found);
    expect(readFileSync(work.path("o.html"), "utf8")).toMatch(/^<!doctype html>/);
    const { traceEvents } = JSON.parse(readFileSync(work.path("o.trace.json"), "utf8"));
    const slices = traceEvents.filter(({ ph }: { ph: string }) => ph === "X");
    expect(new Set(slices.map(({ pid }: { pid: number }) => pid)).size).toBe(2);
    expect(slices.length).toBeGreaterThan(100);
  }, 300_000);

  test("says what got slower, and fails for it only when told to", async () => {
    const old = JSON.parse(JSON.stringify(await work.done(KERNEL)));
    old.kernels[0].msMedian /= 1000;
    old.kernels[0].spread = 0;
    work.write("old.json", JSON.stringify(old));
    const { compare } = await work.done([...KERNEL, "--compare", "old.json"]);
    expect(compare).toMatchObject({ slower: [{ part: "kernel" }], faster: [], missing: [] });
    const { code, stdout } = await work.s2am([...KERNEL, "--compare", "old.json", "--fail-on-slower"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/slower \d+\.\d\d x .* kernel linear_/);
    work.write("other.json", JSON.stringify({ ...old, adapter: { name: "another" } }));
    await work.refused([...KERNEL, "--compare", "other.json"], /measured on "another".*--force-compare/, {
      before: false,
    });
    const forced = await work.done([...KERNEL, "--compare", "other.json", "--force-compare"]);
    expect(forced.compare).toMatchObject({ slower: [{ part: "kernel" }] });
  }, 120_000);

  test.each([
    [["--compare", "nosuch.json"], /nosuch.json: cannot be read/],
    [["--compare", "broken.json"], /broken.json: not JSON/],
    [["--kernels", "--filter", "nosuch"], /--filter nosuch: no "op case" contains this/],
    [["--fail-on-slower"], /go with --compare/],
    [["--no-model", "--no-roofline"], /leave nothing to measure/],
    [["--no-model", "--trace", "t.json"], /--trace shows/],
    [["--html", "no/such/folder/o.html"], /no\/such\/folder/],
  ])("%j is refused", async (args, message) => {
    if (!existsSync(work.path("broken.json"))) work.write("broken.json", "{");
    await work.refused(["bench", ...args], message);
  });
});
