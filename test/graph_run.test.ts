/** What a caller sees of compile() and run(): outputs, errors, order, memory. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AbortedError, InputError, ShapeError, UsageError } from "../src/errors.js";
import { compile } from "../src/graph/compile.js";
import { Runtime } from "../src/graph/runtime.js";
import { constant, input, type Tensor } from "../src/graph/tensor.js";
import { relu, sigmoid } from "../src/kernels/activation/op.js";
import { add } from "../src/kernels/elementwise/op.js";
import { linear } from "../src/kernels/linear/op.js";
import { testDevice, withErrorScopes } from "./helpers/device.js";
import { runGraph, values, weights, withPlan } from "./helpers/graphs.js";

let runtime: Runtime;
beforeAll(async () => {
  const { device } = await testDevice();
  runtime = new Runtime(device);
  runtime.zeroBuffer(); // belongs to the runtime, so it counts to every baseline
});
afterAll(() => {
  runtime.dispose();
  expect(runtime.memory).toMatchObject({ liveBytes: 0, liveBuffers: 0 });
});

const SHAPE = [1, 2, 3, 4];
const X = values(SHAPE);
const x = input("x", SHAPE);

describe("outputs", () => {
  test("several, one of them twice", async () => {
    const [y, z] = [relu(x), sigmoid(x)];
    const found = await withErrorScopes(runtime.device, () => runGraph(runtime, { y, z, again: y }, { x: X }));
    expect(Object.keys(found)).toEqual(["y", "z", "again"]);
    expect(found.y).toEqual(X.map((v) => Math.max(v, 0)));
    expect(found.again).toEqual(found.y);
  });

  test("an input or a constant returned as it is", async () => {
    const w = weights("w", [5], 3);
    const found = await withErrorScopes(runtime.device, () => runGraph(runtime, { x, w, y: relu(x) }, { x: X }));
    expect(found.x).toEqual(X);
    expect(found.w).toEqual(values([5], 3));
    expect(await runGraph(runtime, { x }, { x: X })).toEqual({ x: X });
  });

  test("two inputs, told apart by name", async () => {
    const b = input("b", SHAPE);
    const B = values(SHAPE, 2);
    const { y } = await runGraph(runtime, { y: add(x, b) }, { b: B, x: X });
    expect(y).toEqual(X.map((v, i) => v + (B[i] ?? 0)));
  });

  test("of a run are the caller's to keep", () =>
    withPlan(runtime, { y: relu(x) }, async (plan) => {
      const first = (await plan.run({ x: X })).outputs.y;
      const kept = first?.slice();
      await plan.run({ x: X.map((v) => -v) });
      expect(first).toEqual(kept);
    }));
});

describe("inputs", () => {
  test("missing, or of another length", () =>
    withPlan(runtime, { y: relu(x) }, async (plan) => {
      await expect(plan.run({})).rejects.toThrow(ShapeError);
      await expect(plan.run({ x: new Float32Array(23) })).rejects.toThrow(
        'input "x" needs 24 values [1,2,3,4], got 23',
      );
      expect((await plan.run({ x: X })).outputs.y).toHaveLength(24);
    }));
});

describe("runs", () => {
  test("queue in order, each with its own data", () =>
    withPlan(runtime, { y: relu(x) }, async (plan) => {
      const finished: number[] = [];
      const runs = Array.from({ length: 8 }, async (_, i) => {
        const { outputs } = await plan.run({ x: new Float32Array(24).fill(i) });
        finished.push(i);
        return outputs.y;
      });
      (await Promise.all(runs)).forEach((y, i) => {
        expect(y).toEqual(new Float32Array(24).fill(i));
      });
      expect(finished).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    }));

  test("one that fails does not stop those behind it", () =>
    withPlan(runtime, { y: relu(x) }, async (plan) => {
      const signal = AbortSignal.abort();
      const aborted = plan.run({ x: X }, { signal });
      const next = plan.run({ x: X });
      await expect(aborted).rejects.toThrow(AbortedError);
      expect((await next).outputs.y).toHaveLength(24);
    }));

  test("aborted while they wait", () =>
    withPlan(runtime, { y: relu(x) }, async (plan) => {
      const controller = new AbortController();
      const first = plan.run({ x: X });
      const second = plan.run({ x: X }, { signal: controller.signal });
      controller.abort();
      await expect(second).rejects.toThrow(AbortedError);
      expect((await first).outputs.y).toHaveLength(24);
    }));

  test("profiled ones give every dispatch a timing where the device has a clock", () =>
    withPlan(runtime, { y: sigmoid(relu(x)), z: add(x, x) }, async (plan) => {
      if (!runtime.device.features.has("timestamp-query")) {
        await expect(plan.run({ x: X }, { profile: true })).rejects.toThrow(InputError);
        return;
      }
      const { timings, gpuMs, outputs } = await plan.run({ x: X }, { profile: true });
      expect(timings.map(({ op }) => op)).toEqual(["activation", "activation", "add"]);
      for (const { ms, flops, bytes } of timings) {
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(flops).toBe(24);
        expect(bytes).toBeGreaterThanOrEqual(2 * 96);
      }
      expect(gpuMs).toBeGreaterThanOrEqual(0);
      const plain = await plan.run({ x: X });
      expect(plain.outputs).toEqual(outputs);
      expect(plain.timings).toEqual([]);
    }));
});

describe("compile", () => {
  test("aborted before it begins, and on its way", async () => {
    const before = runtime.memory.liveBytes;
    await expect(compile(runtime, { y: relu(x) }, { signal: AbortSignal.abort() })).rejects.toThrow(AbortedError);
    for (const stage of ["pipelines", "weights"] as const) {
      const controller = new AbortController();
      const y = linear(input("v", [1, 4]), weights("w", [4, 5]), weights("b", [5]));
      const onProgress = (progress: { stage: string }): void => {
        if (progress.stage === stage) controller.abort();
      };
      const compiled = compile(runtime, { y }, { signal: controller.signal, onProgress });
      if (stage === "pipelines") await expect(compiled).rejects.toThrow(AbortedError);
      else await (await compiled).dispose(); // linear repacks nothing, so this stage never comes
    }
    expect(runtime.memory.liveBytes).toBe(before);
  });

  test("reports its progress to the end", async () => {
    const seen: string[] = [];
    const onProgress = ({ stage, done, total }: { stage: string; done: number; total: number }): void => {
      seen.push(`${stage} ${done}/${total}`);
    };
    await withPlan(runtime, { y: sigmoid(relu(x)) }, () => undefined, { onProgress });
    expect(seen).toEqual(["pipelines 1/2", "pipelines 2/2"]);
  });

  test("a forced variant that does not exist is the caller's error", async () => {
    const options = { force: { activation: "winograd" } };
    await expect(compile(runtime, { y: relu(x) }, options)).rejects.toThrow(UsageError);
    await withPlan(runtime, { y: relu(x) }, ({ parts }) => expect(parts.dispatches[0]?.variant).toBe("direct"), {
      force: { activation: "direct" },
    });
  });
});

describe("memory", () => {
  const uploads = { count: 0 };
  const w = constant("w", [4, 5], () => {
    uploads.count++;
    return values([4, 5]);
  });
  const graph = (): { y: Tensor } => ({ y: linear(input("v", [1, 4]), w, null) });

  test("returns to the baseline; plans share constants, uploaded once", async () => {
    const before = { ...runtime.memory };
    const first = await compile(runtime, graph());
    const alone = runtime.memory.liveBytes;
    const second = await compile(runtime, graph());
    expect(uploads.count).toBe(1);
    expect(first.parts.weightBytes).toBe(80);
    expect(runtime.memory.liveBytes - alone).toBe(alone - before.liveBytes - 80);
    const v = values([1, 4]);
    const expected = (await first.run({ v })).outputs;
    await first.dispose();
    expect((await second.run({ v })).outputs).toEqual(expected);
    await second.dispose();
    expect(runtime.memory.liveBytes).toBe(before.liveBytes);
    expect(runtime.memory.liveBuffers).toBe(before.liveBuffers);
    await withPlan(runtime, graph(), () => expect(uploads.count).toBe(2));
  });

  test("compiling at once shares too", async () => {
    const before = runtime.memory.liveBytes;
    uploads.count = 0;
    const plans = await Promise.all([compile(runtime, graph()), compile(runtime, graph())]);
    expect(uploads.count).toBe(1);
    const v = values([1, 4]);
    const [a, b] = await Promise.all(plans.map((plan) => plan.run({ v })));
    expect(a?.outputs).toEqual(b?.outputs);
    await Promise.all(plans.map((plan) => plan.dispose()));
    expect(runtime.memory.liveBytes).toBe(before);
  });

  test("disposing waits for runs, may be repeated, and ends the plan", async () => {
    const plan = await compile(runtime, { y: relu(x) });
    const running = plan.run({ x: X });
    await Promise.all([plan.dispose(), plan.dispose()]);
    expect((await running).outputs.y).toHaveLength(24);
    await plan.dispose();
    await expect(plan.run({ x: X })).rejects.toThrow(InputError);
  });
});
