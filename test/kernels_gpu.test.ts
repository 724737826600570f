/**
 * What the case tables do not reach of the kernels for real GPUs: bands of tiles and slices of sums that small problems do
 * not need, and which variant is chosen.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Capabilities, NodePlan, Problem } from "../src/graph/op.js";
import { Runtime } from "../src/graph/runtime.js";
import { select } from "../src/graph/select.js";
import type { Shape } from "../src/graph/tensor.js";
import { checkCase } from "../src/kernels/check.js";
import { type ConvTranspose2dAttrs, convTranspose2dOp } from "../src/kernels/conv_transpose2d/op.js";
import { windowOf as windowOfTransposed } from "../src/kernels/conv_transpose2d/problem.js";
import { planImplicitGemm } from "../src/kernels/conv2d/implicit_gemm.js";
import { type Conv2dAttrs, conv2dOp } from "../src/kernels/conv2d/op.js";
import { windowOf } from "../src/kernels/conv2d/problem.js";
import { FORMS, planWinogradGpu } from "../src/kernels/conv2d/winograd_gpu.js";
import { planImplicitGemm as planWeightGemm } from "../src/kernels/conv2d_backward_weight/implicit_gemm.js";
import type { Conv2dBackwardWeightAttrs } from "../src/kernels/conv2d_backward_weight/op.js";
import { planWinogradGpu as planWeightWinograd } from "../src/kernels/conv2d_backward_weight/winograd_gpu.js";
import { GEMM_TILES } from "../src/kernels/gemm_tiles.js";
import { suites } from "../src/kernels/index.js";
import type { AnySuite, OpCase } from "../src/kernels/suite.js";
import * as shaders from "../src/shaders.generated.js";
import { testDevice } from "./helpers/device.js";

let runtime: Runtime;
beforeAll(async () => {
  const { device } = await testDevice();
  runtime = new Runtime(device);
});
afterAll(() => runtime.dispose());

/** The suite of an op whose only variant is planned as asked. */
function suiteWith<Attrs>(name: string, plan: (problem: Problem<Attrs>) => NodePlan): AnySuite {
  const suite = suites.find(({ op }) => op.name === name);
  if (!suite) throw new Error(`no suite of ${name}`);
  const variant = { name: "asked", features: [], accepts: () => true, plan: plan as (p: Problem<unknown>) => NodePlan };
  return { ...suite, op: { ...suite.op, variants: [variant] } };
}

const rowOf = (suite: AnySuite, name: string): OpCase<unknown> => {
  const row = suite.cases.find((candidate) => candidate.name === name);
  if (!row) throw new Error(`${suite.op.name} has no case ${name}`);
  return row;
};

async function expectRight(suite: AnySuite, name: string): Promise<void> {
  const { worst, detail } = await checkCase(runtime, suite, rowOf(suite, name), "asked");
  expect(worst, `${name}: ${detail}`).toBeLessThanOrEqual(1);
}

const [tile] = GEMM_TILES.filter(({ name }) => name === "64x64");
if (!tile) throw new Error("there is no tile of 64 x 64");

describe("bands", () => {
  const SMALL = 64 * 36 * 4 * 64; // 64 tiles of F(4x4)

  test.each(FORMS.map((form) => [form.name, form] as const))("of %s", async (_, form) => {
    const bands: number[] = [];
    const suite = suiteWith<Conv2dAttrs>("conv2d", (p) => {
      const plan = planWinogradGpu(p, windowOf(p), form, SMALL);
      bands.push(plan.passes.length / 3);
      return plan;
    });
    const large = {
      name: "2x37x29x24-40_k3s1p1",
      shapes: [[2, 37, 29, 24], [3, 3, 24, 40], [40]],
      attrs: { stride: 1, padding: 1, activation: "elu" },
    };
    const { worst, detail } = await checkCase(runtime, suite, large, "asked", { maxChecked: 5000 });
    expect(worst, detail).toBeLessThanOrEqual(1);
    expect(Math.min(...bands)).toBeGreaterThan(1);
  });

  test.each([1, 3])("of the weight gradient, with %i slices", async (slices) => {
    const bands: number[] = [];
    const suite = suiteWith<Conv2dBackwardWeightAttrs>("conv2d_backward_weight", (p) => {
      const plan = planWeightWinograd(p, SMALL, slices);
      bands.push((plan.passes.length - 1) / 3);
      return plan;
    });
    const large = {
      name: "2x37x29x24-40_k3s1p1",
      shapes: [
        [2, 37, 29, 24],
        [2, 37, 29, 40],
      ],
      attrs: { kernel: [3, 3], stride: 1, padding: 1 },
    };
    const { worst, detail } = await checkCase(runtime, suite, large, "asked");
    expect(worst, detail).toBeLessThanOrEqual(1);
    expect(Math.min(...bands)).toBeGreaterThan(1);
  });
});

describe.each([2, 3, 7])("%i slices", (slices) => {
  test("of a convolution", async () => {
    const suite = suiteWith<Conv2dAttrs>("conv2d", (p) => planImplicitGemm(p, windowOf(p), tile, slices));
    await expectRight(suite, "1x4x4x128-32_k4s2p1_bias_elu");
    await expectRight(suite, "2x10x6x9-25_k4s2p1");
  });

  test("of an up-sampling in phases", async () => {
    const suite = suiteWith<ConvTranspose2dAttrs>("conv_transpose2d", (p) => {
      const window = windowOfTransposed(p);
      if (!window) throw new Error("no up-sampling");
      return planImplicitGemm(p, window, tile, slices);
    });
    await expectRight(suite, "2x9x8x36-20_k4s2p1_bias_reluin");
    await expectRight(suite, "1x12x11x20-3_k4s2p1_bias_reluin");
  });

  test("of a weight gradient", async () => {
    const suite = suiteWith<Conv2dBackwardWeightAttrs>("conv2d_backward_weight", (p) =>
      planWeightGemm(p, tile, slices),
    );
    await expectRight(suite, "2x9x13x24-20_k3s1p1_relu");
    await expectRight(suite, "3x5x4x7-9_k3s2p0");
  });
});

describe("the choice on a GPU without a tuning table", () => {
  const MIB = 2 ** 20;
  const limits = { maxStorageBufferBindingSize: 128 * MIB } as GPUSupportedLimits;
  const gpu: Capabilities = { features: new Set(), limits, subgroupSize: 32, software: false };
  const problem = <Attrs>(op: string, attrs: Attrs, shapes: readonly Shape[], y: Shape): Problem<Attrs> => {
    const view = (shape: Shape, storage: number) => ({
      shape,
      dtype: "f32" as const,
      pitch: shape.at(-1) ?? 1,
      offset: 0,
      storage,
      base: null,
    });
    return { op, attrs, inputs: [...shapes.map(view), null], outputs: [view(y, shapes.length)] };
  };
  const convolution = (h: number, cIn: number, cOut: number, k: number, stride: number): Problem<Conv2dAttrs> =>
    problem(
      "conv2d",
      { stride, padding: 1 },
      [
        [1, h, h, cIn],
        [k, k, cIn, cOut],
      ],
      [1, h / stride, h / stride, cOut],
    );
  const upsampling = (h: number, cIn: number, cOut: number): Problem<ConvTranspose2dAttrs> =>
    problem(
      "conv_transpose2d",
      { stride: 2, padding: 1 },
      [
        [1, h, h, cIn],
        [4, 4, cOut, cIn],
      ],
      [1, 2 * h, 2 * h, cOut],
    );

  test("is Winograd's form for wide 3x3 layers, streamed weights for the smallest maps", () => {
    expect(select(conv2dOp, convolution(128, 128, 256, 3, 1), gpu, undefined).name).toBe("winograd_f4");
    expect(select(conv2dOp, convolution(32, 1024, 512, 3, 1), gpu, undefined).name).toBe("winograd_f4");
    expect(select(conv2dOp, convolution(4, 512, 512, 4, 2), gpu, undefined).name).toBe("stream");
    expect(select(convTranspose2dOp, upsampling(1, 512, 512), gpu, undefined).name).toBe("stream");
    expect(select(convTranspose2dOp, upsampling(128, 128, 3), gpu, undefined).name).toBe("implicit_gemm_64x16");
    expect(select(conv2dOp, convolution(256, 4, 64, 4, 2), gpu, undefined).name).toMatch(/^implicit_gemm/);
  });

  test("is never one of these on a software adapter", () => {
    const software = { ...gpu, software: true };
    for (const variant of conv2dOp.variants.filter(({ name }) => /_f[24]$|stream|gemm/.test(name))) {
      expect(variant.suits?.(convolution(128, 128, 256, 3, 1), software), variant.name).toBe(false);
    }
  });

  test("fills a large GPU and bounds its scratch", () => {
    for (const p of [
      convolution(128, 128, 256, 3, 1),
      convolution(64, 128, 256, 4, 2),
      convolution(16, 512, 512, 4, 2),
    ]) {
      const { passes, prepare = [] } = select(conv2dOp, p, gpu, undefined).plan(p, gpu);
      const weights = new Set(prepare.flatMap(({ bind }) => Object.values(bind)));
      const scratch = new Set(passes.flatMap(({ bind }) => Object.values(bind)));
      let bytes = 0;
      for (const piece of scratch) if ("scratch" in piece && !weights.has(piece)) bytes += piece.bytes;
      expect(bytes).toBeLessThanOrEqual(24 * MIB);
      const [x = 0, y = 0, z = 0] = passes[0]?.workgroups ?? [];
      expect(x * y * z).toBeGreaterThanOrEqual(90);
    }
  });
});

describe("WebGPU's default limits", () => {
  test.each(GEMM_TILES.map((each) => [each.name, each] as const))("hold for tiles of %s", (_, { consts, threads }) => {
    const { TILE_M, TILE_N, STEP_K4 } = consts;
    expect(2 * 16 * STEP_K4 * (TILE_M + TILE_N)).toBeLessThanOrEqual(16384);
    expect(threads).toBeLessThanOrEqual(256);
    // Every thread loads as many vec4s of either tile as its neighbours.
    for (const loaded of [TILE_M * STEP_K4, TILE_N * STEP_K4]) expect(loaded % threads).toBe(0);
    for (const across of [STEP_K4, TILE_M / 4, TILE_N / 4]) expect(threads % across).toBe(0);
  });

  test("hold for every shader's buffers", () => {
    for (const { name, bindings } of Object.values(shaders)) {
      expect(bindings.filter(({ access }) => access !== "uniform").length, name).toBeLessThanOrEqual(8);
    }
  });
});
