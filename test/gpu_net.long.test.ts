/**
 * A whole network with its gradients on the kernels for real GPUs, on a device that has no more than WebGPU's default
 * limits: each variant wherever it can run, and what the heuristic chooses elsewhere, against the readable kernels.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backward } from "../src/autograd/backward.js";
import type { OpenedDevice } from "../src/gpu/device.js";
import { openDevice } from "../src/gpu/open_device.node.js";
import { compile } from "../src/graph/compile.js";
import { planGraph } from "../src/graph/plan_graph.js";
import { Runtime } from "../src/graph/runtime.js";
import { input, type Tensor } from "../src/graph/tensor.js";
import { FUSED } from "../src/kernels/conv2d/fused.js";
import { mseLoss } from "../src/kernels/mse_loss/op.js";
import { DEFAULT_CONFIG, type ModelConfig } from "../src/model/config.js";
import { TrainLayers } from "../src/model/train_layers.js";
import { unet } from "../src/model/unet.js";
import { loadModel } from "../src/model/weights.js";
import { TrainStep } from "../src/train/train_step.js";
import { withErrorScopes } from "./helpers/device.js";
import { hashedPicture, hashedTarget, hashedTensors } from "./helpers/hashed.js";
import { preferVariant } from "./helpers/prefer_variant.js";

const config: ModelConfig = { ...DEFAULT_CONFIG, arch: "s2ad", width: 8, levels: 5 };
const [BATCH, SIZE] = [2, 32];
const feed = { x: hashedPicture(BATCH, SIZE, SIZE), target: hashedTarget(BATCH, SIZE, SIZE) };
/** Of the largest value of a tensor: what kernels and networks are held to everywhere. */
const RELATIVE = 1e-4;

const CONVOLUTIONS = ["conv2d", "conv2d_compose", "conv_transpose2d", "conv2d_backward_weight"];

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

/** A graph's outputs. @param variant taken wherever it can run */
async function run(outputs: Readonly<Record<string, Tensor>>, variant?: string): Promise<Record<string, Float32Array>> {
  if (variant)
    expect(preferVariant(Object.values(outputs), CONVOLUTIONS, variant, runtime.capabilities)).toBeGreaterThan(0);
  return withErrorScopes(opened.device, async () => {
    const plan = await compile(runtime, outputs);
    const found = (await plan.run(feed)).outputs;
    await plan.dispose();
    return found;
  });
}

/** y, the loss and every gradient. */
function training(): Record<string, Tensor> {
  const layers = new TrainLayers(hashedTensors(config));
  const { y } = unet(layers, config, input("x", [BATCH, SIZE, SIZE, 4]));
  const loss = mseLoss(y, input("target", [BATCH, SIZE, SIZE, 3]));
  const parameters = layers.parameters.map(({ tensor }) => tensor);
  const gradients = backward(loss, parameters);
  const outputs: Record<string, Tensor> = { y, loss };
  for (const { key, tensor } of layers.parameters) outputs[key] = gradients.get(tensor) ?? loss;
  return outputs;
}

/** y as inference makes it: S2AM's gates, its composition and the global skip are fused into the convolutions. */
function inference(): Record<string, Tensor> {
  const model = loadModel(hashedTensors(config), {}, { globalSkip: true });
  const { y } = unet(model.layers, model.config, input("x", [BATCH, SIZE, SIZE, 4]));
  return { y };
}

function expectNear(found: Record<string, Float32Array>, expected: Record<string, Float32Array>): void {
  for (const [name, values] of Object.entries(expected)) {
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const got = found[name] ?? new Float32Array(0);
    const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - (got[i] ?? Number.NaN))), 0);
    expect(worst, name).toBeLessThanOrEqual(RELATIVE * largest); // a dead unit's gradient is zero in both
  }
}

let expected: Record<string, Float32Array> | undefined;

// Large tiles take long to compile on the tests' adapter; the case tables run them all.
const VARIANTS = ["winograd_f4", "winograd_f2", "stream", "implicit_gemm_64x16"];
const LONG = ["implicit_gemm_128x128", "implicit_gemm_128x64", "implicit_gemm_64x64", "implicit_gemm_64x32"];

test.each([undefined, ...VARIANTS, ...(process.env.S2AM_LONG ? LONG : [])])(
  "forward and backward: %s",
  async (variant) => {
    expected ??= await run(training(), "direct");
    expectNear(await run(training(), variant), expected);
  },
);

describe("inference", () => {
  test("takes one of these for every convolution, fused ones among them", () => {
    const { steps } = planGraph(runtime, inference(), {});
    const convolutions = steps.filter(({ node }) => CONVOLUTIONS.includes(node.op.name));
    for (const { key, variant } of convolutions) expect(variant, key).toMatch(/^(winograd_f|stream$|implicit_gemm_)/);
    expect(convolutions.filter(({ node }) => node.op.name === "conv2d_compose")).toHaveLength(3);
    expect(convolutions.filter(({ node }) => node.inputs[FUSED.gate])).toHaveLength(3);
    expect(convolutions.filter(({ node }) => node.inputs[FUSED.addend])).toHaveLength(1);
  });

  let plain: Record<string, Float32Array> | undefined;
  test.each([undefined, ...VARIANTS])("%s", async (variant) => {
    plain ??= await run(inference(), "direct");
    expectNear(await run(inference(), variant), plain);
  });
});

test("train steps lower the loss", async () => {
  const asked = { config, batch: BATCH, size: SIZE, loss: "mse", optimizer: { name: "adam" } } as const;
  const trainStep = await TrainStep.create(runtime, asked, hashedTensors(config));
  const losses: number[] = [];
  for (let i = 0; i < 4; i++) losses.push((await trainStep.step(feed, { lr: 1e-3 })).loss);
  await trainStep.dispose();
  expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0);
});
