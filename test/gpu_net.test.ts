/**
 * A whole network with its gradients on the kernels for real GPUs, on a device that has no more than WebGPU's default
 * limits: each variant wherever it can run, and what the heuristic chooses elsewhere, against the readable kernels.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { backward } from "../src/autograd/backward.js";
import type { OpenedDevice } from "../src/gpu/device.js";
import { openDevice } from "../src/gpu/open_device.node.js";
import { compile } from "../src/graph/compile.js";
import { Runtime } from "../src/graph/runtime.js";
import { input, type Tensor } from "../src/graph/tensor.js";
import { mseLoss } from "../src/kernels/mse_loss/op.js";
import { DEFAULT_CONFIG, type ModelConfig } from "../src/model/config.js";
import { TrainLayers } from "../src/model/train_layers.js";
import { unet } from "../src/model/unet.js";
import { TrainStep } from "../src/train/train_step.js";
import { withErrorScopes } from "./helpers/device.js";
import { hashedPicture, hashedTarget, hashedTensors } from "./helpers/hashed.js";
import { preferVariant } from "./helpers/prefer_variant.js";

const config: ModelConfig = { ...DEFAULT_CONFIG, arch: "s2ad", width: 8, levels: 5 };
const [BATCH, SIZE] = [2, 32];
const feed = { x: hashedPicture(BATCH, SIZE, SIZE), target: hashedTarget(BATCH, SIZE, SIZE) };
/** Of the largest value of a tensor: what kernels and networks are held to everywhere. */
const RELATIVE = 1e-4;

const CONVOLUTIONS = ["conv2d", "conv_transpose2d", "conv2d_backward_weight"];

let opened: OpenedDevice;
let runtime: Runtime;
beforeAll(async () => {
  opened = await openDevice({
    adapter: process.env.S2AM_ADAPTER || "bundled",
    limits: "default",
    log: () => undefined,
  });
  runtime = new Runtime(opened.device, { software: false });
});
afterAll(async () => {
  runtime.dispose();
  await opened.close();
});

/** y, the loss and every gradient. @param variant taken wherever it can run */
async function run(variant?: string): Promise<Record<string, Float32Array>> {
  const layers = new TrainLayers(hashedTensors(config));
  const { y } = unet(layers, config, input("x", [BATCH, SIZE, SIZE, 4]));
  const loss = mseLoss(y, input("target", [BATCH, SIZE, SIZE, 3]));
  const parameters = layers.parameters.map(({ tensor }) => tensor);
  const gradients = backward(loss, parameters);
  const outputs: Record<string, Tensor> = { y, loss };
  for (const { key, tensor } of layers.parameters) outputs[key] = gradients.get(tensor) ?? loss;
  if (variant)
    expect(preferVariant(Object.values(outputs), CONVOLUTIONS, variant, runtime.capabilities)).toBeGreaterThan(0);
  return withErrorScopes(opened.device, async () => {
    const plan = await compile(runtime, outputs);
    const found = (await plan.run(feed)).outputs;
    await plan.dispose();
    return found;
  });
}

let expected: Record<string, Float32Array> | undefined;

// Large tiles take long to compile on the tests' adapter; the case tables run them all.
const VARIANTS = ["winograd_f4", "winograd_f2", "stream", "implicit_gemm_64x16"];
const LONG = ["implicit_gemm_128x128", "implicit_gemm_128x64", "implicit_gemm_64x64", "implicit_gemm_64x32"];

test.each([undefined, ...VARIANTS, ...(process.env.S2AM_LONG ? LONG : [])])(
  "forward and backward: %s",
  async (variant) => {
    expected ??= await run("direct");
    const found = await run(variant);
    for (const [name, values] of Object.entries(expected)) {
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const got = found[name] ?? new Float32Array(0);
      const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - (got[i] ?? Number.NaN))), 0);
      expect(worst, name).toBeLessThanOrEqual(RELATIVE * largest); // a dead unit's gradient is zero in both
    }
  },
);

test("train steps lower the loss", async () => {
  const asked = { config, batch: BATCH, size: SIZE, loss: "mse", optimizer: { name: "adam" } } as const;
  const training = await TrainStep.create(runtime, asked, hashedTensors(config));
  const losses: number[] = [];
  for (let i = 0; i < 4; i++) losses.push((await training.step(feed, { lr: 1e-3 })).loss);
  await training.dispose();
  expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0);
});
