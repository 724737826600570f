/** Convolutions on matrix units: their index arithmetic on an emulation, their WGSL against dawn's own compiler. */
import { describe, expect, test } from "vitest";
import { UsageError } from "../src/errors.js";
import { keep } from "../src/gpu/dawn.node.js";
import { matrixConfigsOf, requestDevice } from "../src/gpu/device.js";
import { PipelineCache } from "../src/gpu/pipelines.js";
import { operand, type Problem, type Variant } from "../src/graph/op.js";
import { Runtime } from "../src/graph/runtime.js";
import { select } from "../src/graph/select.js";
import { Harmonizer } from "../src/harmonizer.js";
import { checkCase, runnableVariants } from "../src/kernels/check.js";
import { convTranspose2dSuite } from "../src/kernels/conv_transpose2d/cases.js";
import { conv2dSuite } from "../src/kernels/conv2d/cases.js";
import { matrixTiles, subgroupMatrixPass } from "../src/kernels/conv2d/subgroup_matrix.js";
import { conv2dComposeSuite } from "../src/kernels/conv2d_compose/cases.js";
import { chooseConfig, findMatrixUnits, probe, requireMatrixUnits } from "../src/kernels/matrix_units.js";
import { type AnySuite, f16Rows, type OpCase } from "../src/kernels/suite.js";
import { testDevice } from "./helpers/device.js";
import { f16Device, NO_F16 } from "./helpers/f16_device.js";
import { emulatedSuite, SHAPES } from "./helpers/matrix_units.js";

const named = SHAPES.map((shape) => [`${shape.m}x${shape.n}x${shape.k}`, shape] as const);

/** In which both tensors are f16, as matrix units want them. */
const halves = (suite: AnySuite, rows: readonly OpCase<unknown>[]): OpCase<unknown>[] =>
  rows.flatMap((row) => f16Rows(suite, row)).filter(({ stored }) => stored?.[0] === "f16" && stored[1] === "f16");

const LARGE: OpCase<unknown> = {
  name: "1x11x13x20-136_k3s1p1",
  shapes: [[1, 11, 13, 20], [3, 3, 20, 136], [136]],
  attrs: { stride: 1, padding: 1 },
};

async function check(
  suite: AnySuite,
  rows: readonly OpCase<unknown>[],
  shape: (typeof SHAPES)[number],
  plan?: Variant<unknown>["plan"],
) {
  const device = await f16Device();
  if (!device) return void console.warn(`skipped: ${NO_F16}`);
  const runtime = new Runtime(device, { matrixUnits: { ...shape, lanes: 32 } });
  const plain = emulatedSuite(suite, plan);
  let ran = 0;
  for (const row of halves(suite, rows)) {
    for (const variant of runnableVariants(plain, row, runtime)) {
      const { worst, detail } = await checkCase(runtime, plain, row, variant, { maxChecked: 4096 });
      expect(worst, `${row.name}: ${detail}`).toBeLessThanOrEqual(1);
      ran++;
    }
  }
  expect(ran).toBeGreaterThan(1);
  runtime.dispose();
}

describe.each([conv2dSuite, conv2dComposeSuite, convTranspose2dSuite].map((suite) => [suite.op.name, suite] as const))(
  "%s",
  (_, suite) => {
    const small = suite.cases.filter(({ timed }) => !timed);

    test.each(named)("emulated as %s", (_name, shape) => check(suite, small, shape));
  },
);

test.each([32, 64])("the large tile, emulated, subgroups of %d", async (lanes) => {
  const shape = { m: 16, n: 16, k: 16 };
  const form = { kernel: [3, 3], stride: 1, pad: 1, upsample: 1 } as const;
  const [, large] = matrixTiles({ ...shape, lanes });
  await check(conv2dSuite, [LARGE], shape, (p, capabilities) => ({
    passes: [subgroupMatrixPass(p as Problem<object>, operand(p, 1), form, capabilities, large)],
  }));
});

describe("dawn's compiler", () => {
  // Its null adapter runs nothing, but has every feature and compiles as the others do.
  const LANES = 32;

  async function nullDevice(): Promise<GPUDevice> {
    const { create } = await import("webgpu");
    const gpu = create(["backend=null", "enable-dawn-features=allow_unsafe_apis"]);
    keep(gpu);
    const adapter = await gpu.requestAdapter();
    const features = ["shader-f16", "subgroups", "chromium-experimental-subgroup-matrix"] as GPUFeatureName[];
    const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX, maxComputeWorkgroupStorageSize } =
      adapter?.limits ?? ({} as GPUSupportedLimits);
    const device = await adapter?.requestDevice({
      requiredFeatures: features,
      requiredLimits: {
        maxComputeInvocationsPerWorkgroup,
        maxComputeWorkgroupSizeX,
        maxComputeWorkgroupStorageSize,
      },
    });
    if (!device) throw new Error("dawn has no null adapter");
    keep(device);
    return device;
  }

  test.each(named)("takes the kernel for %s", async (_name, shape) => {
    const device = await nullDevice();
    const pipelines = new PipelineCache(device);
    const units = { ...shape, lanes: LANES };
    await expect(pipelines.get(probe(units))).resolves.toBeDefined();
    // The large one takes more memory than the null adapter offers, and just as much as we reckon.
    const [, large] = matrixTiles(units);
    await expect(pipelines.get(probe(units, 1))).rejects.toThrow(`workgroup storage (${large.bytes} bytes) is larger`);
    const { shader, ...rest } = probe(units);
    const broken = {
      ...shader,
      name: "broken",
      source: shader.source.replace("load_left(at: u32) -> Left", "load_left(at: u32) -> Right"),
    };
    await expect(pipelines.get({ shader: broken, ...rest })).rejects.toThrow(/broken/);
  });
});

describe("what is asked of a device", () => {
  const config = (M: number, N: number, K: number, componentType = "f16", resultComponentType = "f32") => ({
    componentType,
    resultComponentType,
    M,
    N,
    K,
  });

  test("the largest product of f16 with f32 sums that tiles divide into", () => {
    const nvidia = [
      config(16, 16, 16, "f16", "f16"),
      config(16, 8, 16),
      config(16, 16, 16),
      config(16, 16, 32, "u8", "u32"),
    ];
    expect(chooseConfig(nvidia)).toEqual({ m: 16, n: 16, k: 16 });
    expect(chooseConfig([config(8, 8, 8), config(8, 8, 8, "f32")])).toEqual({ m: 8, n: 8, k: 8 });
    expect(chooseConfig([config(12, 16, 16), config(16, 16, 16, "f16", "f16")])).toBeNull();
    expect(chooseConfig([])).toBeNull();
  });

  test("what the adapter lists counts where the device lists nothing, as in Node", async () => {
    const silent = { adapterInfo: {} } as GPUDevice;
    const adapter = {
      features: new Set(["chromium-experimental-subgroup-matrix"]),
      limits: {},
      info: { subgroupMatrixConfigs: [config(16, 16, 16), config(16, 16, 16, "f16", "f16")] },
      requestDevice: () => Promise.resolve(silent),
    };
    expect(matrixConfigsOf(silent)).toEqual([]);
    const device = await requestDevice(adapter as object as GPUAdapter, { matrixUnits: true });
    expect(matrixConfigsOf(device)).toEqual([config(16, 16, 16), config(16, 16, 16, "f16", "f16")]);
    const telling = { adapterInfo: { subgroupMatrixConfigs: [config(8, 8, 8)] } };
    expect(matrixConfigsOf(telling as object as GPUDevice)).toEqual([config(8, 8, 8)]);
  });

  test("a device without them says what it lacks, and nothing falls back", async () => {
    const { device } = await testDevice();
    const found = await findMatrixUnits(device);
    expect(found.units).toBeNull();
    expect(found.reason).toMatch(/chromium-experimental-subgroup-matrix/);
    await expect(requireMatrixUnits(device)).rejects.toThrow(/cannot be used: the device has no .*s2am doctor/);
    const nothing = new Uint8Array(0);
    await expect(Harmonizer.load(nothing, { device, matrixUnits: true })).rejects.toThrow(UsageError);
  });

  test("they are never chosen where they were not asked for", async () => {
    const device = await f16Device();
    if (!device) return void console.warn(`skipped: ${NO_F16}`);
    const runtime = new Runtime(device);
    const view = (...shape: number[]) => ({
      shape,
      dtype: "f16" as const,
      pitch: shape.at(-1) ?? 1,
      offset: 0,
      base: null,
      storage: 0,
    });
    const problem = {
      op: "conv2d",
      attrs: { stride: 1, padding: 1 },
      inputs: [view(1, 32, 32, 64), view(3, 3, 64, 64), null],
      outputs: [view(1, 32, 32, 64)],
    };
    const features = new Set([...device.features, "chromium-experimental-subgroup-matrix"]);
    const capabilities = { ...runtime.capabilities, features };
    expect(select(conv2dSuite.op, problem, capabilities, undefined).name).not.toBe("subgroup_matrix");
    const matrixUnits = { m: 16, n: 16, k: 16, lanes: 32 };
    expect(select(conv2dSuite.op, problem, { ...capabilities, matrixUnits }, undefined).name).toBe("subgroup_matrix");
    runtime.dispose();
  });
});
