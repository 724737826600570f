/**
 * Whole networks and a training step on the kernels that a GPU is given, run on the adapter at hand: what is chosen for a
 * device is tested as it is chosen there. Whatever the box knows of this adapter's own favourites stays out.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { planGraph } from "../src/graph/plan_graph.js";
import { Runtime } from "../src/graph/runtime.js";
import { input } from "../src/graph/tensor.js";
import { ARCHS, DEFAULT_CONFIG, type ModelConfig } from "../src/model/config.js";
import { differenceOf } from "../src/model/dtype_error.js";
import { Network } from "../src/model/network.js";
import { unet } from "../src/model/unet.js";
import { loadModel } from "../src/model/weights.js";
import { TrainStep } from "../src/train/train_step.js";
import { testDevice, withErrorScopes } from "./helpers/device.js";
import { f16Device, NO_F16 } from "./helpers/f16_device.js";
import { hashedPicture, hashedTarget, hashedTensors } from "./helpers/hashed.js";

/** Of a width that lets every convolution go four channels at once, as those of published networks do. */
const WIDTH = 16;
const SHAPE = [1, 64, 32] as const;
const FORCE_DIRECT = {
  conv2d: "direct",
  conv2d_compose: "direct",
  conv_transpose2d: "direct",
  conv2d_backward_weight: "direct",
};
const configOf = (arch: ModelConfig["arch"]): ModelConfig => ({ ...DEFAULT_CONFIG, arch, width: WIDTH, levels: 5 });

let device: GPUDevice;
let half: GPUDevice | null;
beforeAll(async () => {
  device = (await testDevice()).device;
  half = await f16Device();
  if (!half) console.warn(`f16 is skipped: ${NO_F16}`);
});

/** What a network answers on the kernels for GPUs, and on the readable ones. */
async function bothWays(on: GPUDevice, arch: ModelConfig["arch"], dtype: "f32" | "f16") {
  const model = loadModel(hashedTensors(configOf(arch)));
  const x = hashedPicture(...SHAPE);
  const answers: Float32Array[] = [];
  for (const options of [{ dtype }, { dtype: "f32", force: FORCE_DIRECT }] as const) {
    const network = new Network(model, on, { ...options, software: false });
    const { outputs } = await withErrorScopes(on, () => network.run(x, SHAPE));
    answers.push(outputs.y ?? new Float32Array(0));
    await network.dispose();
  }
  const [found, expected] = answers as [Float32Array, Float32Array];
  return differenceOf(found, expected);
}

describe.each(ARCHS)("%s on the kernels for GPUs", (arch) => {
  test("in f32", async () => {
    const { maxRelative } = await bothWays(device, arch, "f32");
    expect(maxRelative).toBeLessThan(1e-4); // what networks are held to everywhere
  });

  test("in f16", async () => {
    if (!half) return;
    const { maxRelative, psnr } = await bothWays(half, arch, "f16");
    // Some 20 layers one after another, each of whose results is rounded by at most 2^-11.
    expect(maxRelative).toBeLessThan(20 * 2 ** -11);
    expect(maxRelative).toBeGreaterThan(2 ** -16); // else nothing was stored as f16
    expect(psnr).toBeGreaterThan(40);
  });
});

describe("a training step on the kernels for GPUs", () => {
  const config: ModelConfig = { ...DEFAULT_CONFIG, arch: "s2ad", width: 8, levels: 5 };
  const [BATCH, SIZE] = [2, 32];
  const asked = { config, batch: BATCH, size: SIZE, loss: "fn_log", optimizer: { name: "adam" } } as const;
  const feed = { x: hashedPicture(BATCH, SIZE, SIZE), target: hashedTarget(BATCH, SIZE, SIZE) };
  const runtimes: Runtime[] = [];
  afterAll(() => {
    for (const runtime of runtimes) runtime.dispose();
  });

  test("takes them, and goes where the adapter's own kernels go", async () => {
    const steps = [];
    for (const software of [false, true]) {
      const runtime = new Runtime(device, { software, tuningTables: [] });
      runtimes.push(runtime);
      const step = await TrainStep.create(runtime, asked, hashedTensors(config));
      const losses: number[] = [];
      for (let i = 0; i < 3; i++) {
        const result = await withErrorScopes(device, () => step.step(feed, { lr: 1e-3 }));
        expect(result.nonFinite).toEqual([]);
        losses.push(result.loss, result.gradientNorm);
      }
      steps.push({ losses, choices: step.choices });
      await step.dispose();
    }
    const [gpu, cpu] = steps as [(typeof steps)[number], (typeof steps)[number]];
    const convolutions = [...gpu.choices].filter(([key]) => /^conv/.test(key));
    for (const [key, variant] of convolutions)
      expect(variant, key).toMatch(/^(winograd_f[24]|stream|implicit_gemm_.*)$/);
    expect(convolutions.length).toBeGreaterThan(20);
    expect([...cpu.choices].filter(([key, variant]) => gpu.choices.get(key) !== variant).length).toBeGreaterThan(20);
    gpu.losses.forEach((value, i) => {
      expect(Math.abs(value / (cpu.losses[i] ?? Number.NaN) - 1), `${i}`).toBeLessThan(1e-4);
    });
  });
});

test("a table of the adapter's own favourites is left out where other kernels are asked for", () => {
  const graph = () => {
    const model = loadModel(hashedTensors(configOf("unet")));
    return { y: unet(model.layers, model.config, input("x", [1, 64, 64, 4])).y };
  };
  const variantsOf = (software: boolean) => {
    const runtime = new Runtime(device, { software });
    const { steps } = planGraph(runtime, graph(), {});
    runtime.dispose();
    return steps.filter(({ node }) => /^conv/.test(node.op.name)).map(({ variant }) => variant);
  };
  for (const variant of variantsOf(false)) expect(variant).toMatch(/^(winograd_f[24]|stream|implicit_gemm_.*)$/);
  for (const variant of variantsOf(true)) expect(variant).not.toMatch(/^(winograd_f[24]|stream|implicit_gemm_.*)$/);
});
