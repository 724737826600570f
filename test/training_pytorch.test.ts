/** Training against PyTorch in float64: loss, output, every gradient, running statistics, ten Adam steps. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { gradients } from "../src/autograd/backward.js";
import { compile } from "../src/graph/compile.js";
import { Runtime } from "../src/graph/runtime.js";
import { constant, input, sizeOf, type Tensor } from "../src/graph/tensor.js";
import { parseSafetensors } from "../src/io/safetensors.js";
import { toFloat32 } from "../src/io/tensor_data.js";
import { mseLoss } from "../src/kernels/mse_loss/op.js";
import { type Arch, DEFAULT_CONFIG, type ModelConfig } from "../src/model/config.js";
import { TrainLayers } from "../src/model/train_layers.js";
import { unet } from "../src/model/unet.js";
import { TrainStep } from "../src/train/train_step.js";
import { testDevice } from "./helpers/device.js";
import { hashedPicture, hashedTarget, hashedTensors } from "./helpers/hashed.js";

const RELATIVE = 1e-4;
const [BATCH, SIZE] = [2, 32];
/** What the fixtures keep of a long gradient: every `stride`-th element. */
const SAMPLES = 512;

let device: GPUDevice;
let software: boolean;
beforeAll(async () => {
  const opened = await testDevice();
  device = opened.device;
  software = opened.description.isSoftware;
});

const sampled = (values: Float32Array): Float32Array => {
  const stride = Math.max(1, Math.ceil(values.length / SAMPLES));
  return values.filter((_, i) => i % stride === 0);
};

/** |a - b| / |b|, Euclidean. */
function relativeError(got: Float32Array, expected: Float32Array): number {
  expect(got.length).toBe(expected.length);
  let [error, norm] = [0, 0];
  expected.forEach((value, i) => {
    error += ((got[i] ?? Number.NaN) - value) ** 2;
    norm += value ** 2;
  });
  return Math.sqrt(error / Math.max(norm, 1e-20));
}

/** [N, H, W, C] to [N, C, H, W]. */
function toNchw(values: Float32Array, channels: number): Float32Array {
  const pixels = SIZE * SIZE;
  return Float32Array.from(values, (_, i) => {
    const [pixel, c, n] = [i % pixels, Math.floor(i / pixels) % channels, Math.floor(i / (pixels * channels))];
    return values[(n * pixels + pixel) * channels + c] ?? Number.NaN;
  });
}

const NETS: readonly (readonly [Arch, number])[] = [
  ["unet", 8],
  ["s2asc", 16],
  ["s2ad", 8],
];

describe.each(NETS)("%s, width %i", (arch, width) => {
  const config: ModelConfig = { ...DEFAULT_CONFIG, arch, width, levels: 5 };
  const bytes = readFileSync(new URL(`fixtures/training/${arch}${width}.safetensors`, import.meta.url));
  const fixture = new Map([...parseSafetensors(bytes).tensors].map(([key, tensor]) => [key, toFloat32(tensor)]));
  const expected = (key: string): Float32Array => fixture.get(key) ?? new Float32Array(0);
  const batch = expected("batch")[0];
  const x = hashedPicture(BATCH, SIZE, SIZE, `input ${batch}`);
  const target = hashedTarget(BATCH, SIZE, SIZE, `target ${batch}`);

  test("loss, output and every gradient equal PyTorch's", async () => {
    const runtime = new Runtime(device, { software });
    const layers = new TrainLayers(hashedTensors(config));
    const image = input("x", [BATCH, SIZE, SIZE, 4]);
    const { y } = unet(layers, config, image);
    const loss = mseLoss(y, input("target", [BATCH, SIZE, SIZE, 3]));
    const wrt = [image, ...layers.parameters.map(({ tensor }) => tensor)];
    const found = gradients(new Map([[loss, constant("one", [1], new Float32Array([1]))]]), wrt);
    const outputs: Record<string, Tensor> = { loss, y, grad_input: found.get(image) as Tensor };
    for (const { key, tensor } of layers.parameters) outputs[`grad/${key}`] = found.get(tensor) as Tensor;
    const plan = await compile(runtime, outputs);
    const result = (await plan.run({ x, target })).outputs;
    const got = (name: string): Float32Array => result[name] ?? new Float32Array(0);
    expect(Math.abs((got("loss")[0] ?? Number.NaN) / (expected("losses")[0] ?? 0) - 1)).toBeLessThanOrEqual(RELATIVE);
    expect(relativeError(toNchw(got("y"), 3), expected("train"))).toBeLessThanOrEqual(RELATIVE);
    expect(relativeError(toNchw(got("grad_input"), 4), expected("grad_input"))).toBeLessThanOrEqual(RELATIVE);
    expect([...fixture.keys()].filter((key) => key.startsWith("grad/")).length).toBe(layers.parameters.length);
    for (const { key, start, shape, toPyTorch } of layers.parameters) {
      const gradient = got(`grad/${key}`).slice(start, start + sizeOf(shape));
      const error = relativeError(sampled(toPyTorch(gradient)), expected(`grad/${key}`));
      expect(error, key).toBeLessThanOrEqual(RELATIVE);
    }
    await plan.dispose();
    runtime.dispose();
    expect(runtime.memory.liveBytes).toBe(0);
  });

  test("running statistics and ten Adam steps track PyTorch's", async () => {
    const runtime = new Runtime(device, { software });
    const options = { config, batch: BATCH, size: SIZE, loss: "mse", optimizer: { name: "adam" } } as const;
    const training = await TrainStep.create(runtime, options, hashedTensors(config));
    for (let step = 0; step < 10; step++) {
      const { loss, nonFinite } = await training.step({ x, target }, { lr: 1e-3 });
      expect(nonFinite).toEqual([]);
      expect(Math.abs(loss / (expected("losses")[step] ?? 0) - 1), `loss of step ${step}`).toBeLessThanOrEqual(
        RELATIVE,
      );
      if (step > 0) continue;
      const state = await training.readState();
      for (const key of [...fixture.keys()].filter((name) => name.startsWith("running/"))) {
        const values = state.get(key.replace("running/", "param/")) ?? new Float32Array(0);
        expect(relativeError(values, expected(key)), key).toBeLessThanOrEqual(RELATIVE);
      }
    }
    await training.dispose();
    runtime.dispose();
  });
});
