/**
 * Networks that lack parts of S2AM against PyTorch's: outputs, state dicts, gradients, training, ONNX; and what of them
 * weights tell.
 */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { gradients } from "../src/autograd/backward.js";
import { UsageError, WeightsError } from "../src/errors.js";
import { compile } from "../src/graph/compile.js";
import { Runtime } from "../src/graph/runtime.js";
import { constant, input, sizeOf, type Tensor } from "../src/graph/tensor.js";
import { serializeOnnx } from "../src/io/onnx/writer.js";
import { parseSafetensors } from "../src/io/safetensors.js";
import { fromFloat32, type HostTensor, toFloat32 } from "../src/io/tensor_data.js";
import { mseLoss } from "../src/kernels/mse_loss/op.js";
import { DEFAULT_CONFIG, type ModelConfig, metadataOf, partsOf, type S2amPart } from "../src/model/config.js";
import { dtypeErrorOf } from "../src/model/dtype_error.js";
import { initialTensors } from "../src/model/init.js";
import { Network } from "../src/model/network.js";
import { onnxModel } from "../src/model/onnx.js";
import { completeStateDict } from "../src/model/state_dict.js";
import { TrainLayers } from "../src/model/train_layers.js";
import { unet } from "../src/model/unet.js";
import { loadModel } from "../src/model/weights.js";
import { TrainStep } from "../src/train/train_step.js";
import { testDevice } from "./helpers/device.js";
import { f16Device, NO_F16 } from "./helpers/f16_device.js";
import { hashedPicture, hashedTarget, hashedTensors } from "./helpers/hashed.js";
import { readOnnx, runOnnx } from "./helpers/onnx_interpreter.js";

/** What a user who compares with PyTorch is promised: of the largest value, and for gradients of the norm. */
const RELATIVE = 1e-4;
/** What the fixture keeps of a long gradient. */
const SAMPLES = 64;
const SIZE = 32;

const fixture = (folder: string): Map<string, HostTensor> =>
  parseSafetensors(readFileSync(new URL(`fixtures/${folder}/ablations.safetensors`, import.meta.url))).tensors;
const [models, trainings] = [fixture("models"), fixture("training")];
const floats = (from: ReadonlyMap<string, HostTensor>, key: string): Float32Array => {
  const tensor = from.get(key);
  if (!tensor) throw new Error(`the fixture lacks ${key}`);
  return toFloat32(tensor);
};
const names = [...new Set([...models.keys()].map((key) => key.slice(0, key.indexOf("/"))))];
const configOf = (name: string): ModelConfig => ({
  ...DEFAULT_CONFIG,
  ...(name === "mixed,blur,learned" ? { arch: "s2asc", width: 16 } : { arch: "s2ad", width: 8 }),
  levels: 5,
  without: name.split(",") as S2amPart[],
});

let device: GPUDevice;
let software: boolean;
beforeAll(async () => {
  const opened = await testDevice();
  device = opened.device;
  software = opened.description.isSoftware;
});

/** [N, H, W, C] to [N, C, H, W]. */
const planes = (values: ArrayLike<number>, channels: number): Float64Array =>
  Float64Array.from(values, (_, i) => {
    const pixels = SIZE * SIZE;
    const [pixel, c, n] = [i % pixels, Math.floor(i / pixels) % channels, Math.floor(i / (pixels * channels))];
    return values[(n * pixels + pixel) * channels + c] ?? Number.NaN;
  });

function errorOfLargest(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(got.length).toBe(expected.length);
  let [worst, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs((got[i] ?? Number.NaN) - (expected[i] ?? Number.NaN));
    worst = Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
    largest = Math.max(largest, Math.abs(expected[i] ?? 0));
  }
  return worst / largest;
}

/** |a - b| / |b|, Euclidean. */
function errorOfNorm(got: Float32Array, expected: Float32Array): number {
  expect(got.length).toBe(expected.length);
  let [error, norm] = [0, 0];
  expected.forEach((value, i) => {
    error += ((got[i] ?? Number.NaN) - value) ** 2;
    norm += value ** 2;
  });
  return Math.sqrt(error / Math.max(norm, 1e-20));
}

const sampled = (values: Float32Array): Float32Array => {
  const stride = Math.max(1, Math.ceil(values.length / SAMPLES));
  return values.filter((_, i) => i % stride === 0);
};

test("every part, and lists of parts, are among the fixtures", () => {
  expect(names).toEqual(["gates", "mixed", "blur", "learned", "gates,mixed", "gates,learned", "mixed,blur,learned"]);
});

describe.each(names)("without %s", (name) => {
  const config = configOf(name);
  const tensors = hashedTensors(config);

  test("the output is PyTorch's", async () => {
    const network = new Network(loadModel(tensors, metadataOf(config)), device, { software });
    const { outputs } = await network.run(hashedPicture(1, SIZE, SIZE), [1, SIZE, SIZE]);
    const error = errorOfLargest(planes(outputs.y ?? [], 3), floats(models, `${name}/y`));
    expect(error).toBeLessThanOrEqual(RELATIVE);
    await network.dispose();
    expect(network.runtime.memory.liveBytes).toBe(0);
  });

  test("the output is another than the whole network's", async () => {
    const { without: _, ...whole } = config;
    const network = new Network(loadModel(hashedTensors(whole)), device, { software });
    const { outputs } = await network.run(hashedPicture(1, SIZE, SIZE), [1, SIZE, SIZE]);
    expect(errorOfLargest(planes(outputs.y ?? [], 3), floats(models, `${name}/y`))).toBeGreaterThan(100 * RELATIVE);
    await network.dispose();
  });

  test("the ONNX model's output is PyTorch's", () => {
    const model = readOnnx(serializeOnnx(onnxModel(tensors, config, { version: "test" })));
    const x = { shape: [1, 4, SIZE, SIZE], data: planes(hashedPicture(1, SIZE, SIZE), 4) };
    const y = runOnnx(model, { x }).get("y");
    expect(errorOfLargest(y?.data ?? [], floats(models, `${name}/y`))).toBeLessThanOrEqual(1e-5);
  });

  test("a strict load in PyTorch finds every tensor, and no other", () => {
    const prefix = `${name}/state/`;
    const expected = [...models].flatMap(([key, { data }]) =>
      key.startsWith(prefix) ? [`${key.slice(prefix.length)} [${new BigInt64Array(data.slice().buffer)}]`] : [],
    );
    const found = [...completeStateDict(tensors, config, 1)].flatMap(([key, { shape }]) =>
      key.includes("attention") ? [`${key} [${shape}]`] : [],
    );
    expect(found.sort()).toEqual(expected.sort());
  });

  test("loss and gradients are PyTorch's, and so are ten Adam steps", async () => {
    const batch = floats(trainings, `${name}/batch`)[0];
    const x = hashedPicture(2, SIZE, SIZE, `input ${batch}`);
    const target = hashedTarget(2, SIZE, SIZE, `target ${batch}`);
    const runtime = new Runtime(device, { software });
    const layers = new TrainLayers(tensors);
    const { y } = unet(layers, config, input("x", [2, SIZE, SIZE, 4]));
    const loss = mseLoss(y, input("target", [2, SIZE, SIZE, 3]));
    const wrt = layers.parameters.map(({ tensor }) => tensor);
    const found = gradients(new Map([[loss, constant("one", [1], new Float32Array([1]))]]), wrt);
    const compared = layers.parameters.filter(({ key }) => trainings.has(`${name}/grad/${key}`));
    const stored = [...trainings.keys()].filter((key) => key.startsWith(`${name}/grad/`));
    expect(compared.map(({ key }) => `${name}/grad/${key}`).sort()).toEqual(stored.sort());
    const outputs = Object.fromEntries(compared.map(({ key, tensor }) => [key, found.get(tensor) as Tensor]));
    const plan = await compile(runtime, { loss, ...outputs });
    const result = (await plan.run({ x, target })).outputs;
    for (const { key, start, shape, toPyTorch } of compared) {
      const gradient = (result[key] ?? new Float32Array(0)).slice(start, start + sizeOf(shape));
      const error = errorOfNorm(sampled(toPyTorch(gradient)), floats(trainings, `${name}/grad/${key}`));
      expect(error, key).toBeLessThanOrEqual(RELATIVE);
    }
    await plan.dispose();

    const options = { config, batch: 2, size: SIZE, loss: "mse", optimizer: { name: "adam" } } as const;
    const training = await TrainStep.create(runtime, options, tensors);
    for (const [step, expected] of floats(trainings, `${name}/losses`).entries()) {
      const { loss: value, nonFinite } = await training.step({ x, target }, { lr: 1e-3 });
      expect(nonFinite).toEqual([]);
      expect(Math.abs(value / expected - 1), `loss of step ${step}`).toBeLessThanOrEqual(RELATIVE);
      if (step > 0) continue;
      const state = await training.readState();
      for (const key of [...trainings.keys()].filter((stored) => stored.startsWith(`${name}/running/`))) {
        const values = state.get(key.replace(`${name}/running/`, "param/")) ?? new Float32Array(0);
        expect(errorOfNorm(sampled(values), floats(trainings, key)), key).toBeLessThanOrEqual(RELATIVE);
      }
    }
    await training.dispose();
    runtime.dispose();
    expect(runtime.memory.liveBytes).toBe(0);
  });

  test("metadata bring the parts back", () => {
    const metadata = metadataOf(config);
    expect(metadata.without).toBe(name);
    expect(loadModel(tensors, metadata).config).toEqual(config);
    expect(loadModel(completeStateDict(tensors, config, 1), metadata).config).toEqual(config);
  });

  test("what is kept starts as in the whole network", () => {
    const { without: _, ...whole } = config;
    const [all, some] = [initialTensors(whole, 3), initialTensors(config, 3)];
    expect([...some.keys()]).toEqual([...hashedTensors(config).keys()]);
    expect(name === "blur" ? some.size === all.size : some.size < all.size).toBe(true);
    for (const [key, { data }] of some) expect(Buffer.compare(data, all.get(key)?.data ?? new Uint8Array(0))).toBe(0);
  });

  test("stored as f16 it stays near to f32", async () => {
    const half = await f16Device();
    if (!half) return console.warn(`skipped: ${NO_F16}`);
    const network = new Network(loadModel(tensors, metadataOf(config)), half, { dtype: "f16" });
    const x = hashedPicture(1, SIZE, SIZE);
    const { outputs } = await network.run(x, [1, SIZE, SIZE]);
    const { maxRelative } = await dtypeErrorOf(network, x, [1, SIZE, SIZE], outputs.y ?? new Float32Array(0));
    // Some 20 layers one after another, each of whose results is rounded by at most 2^-11.
    expect(maxRelative).toBeLessThan(20 * 2 ** -11);
    expect(maxRelative).toBeGreaterThan(2 ** -16);
    await network.dispose();
  });
});

describe("recomputing the activations of an ablated network", () => {
  test.each(["gates", "mixed,blur,learned"])("without %s gives the same loss", async (name) => {
    const config = configOf(name);
    const losses = [];
    for (const recompute of [false, true]) {
      const runtime = new Runtime(device, { software });
      const options = { config, batch: 2, size: SIZE, loss: "mse", optimizer: { name: "adam" }, recompute } as const;
      const training = await TrainStep.create(runtime, options, hashedTensors(config));
      const data = { x: hashedPicture(2, SIZE, SIZE), target: hashedTarget(2, SIZE, SIZE) };
      await training.step(data, { lr: 1e-3 });
      losses.push((await training.step(data, { lr: 1e-3 })).loss);
      await training.dispose();
      runtime.dispose();
    }
    expect(losses[1]).toBe(losses[0]);
  });
});

describe("weights that nobody has said a word about", () => {
  const load = (name: string, options = {}, config = configOf(name)) =>
    loadModel(hashedTensors(config), {}, options, "w.pth");

  test.each([
    [
      "gates",
      /w\.pth: not the weights of s2ad.*missing .*; and \d+ more; they look like weights trained without gates/,
    ],
    ["mixed", /missing .*mixed_attention.*say --without mixed$/],
    ["learned", /missing .*connection\.rconv1.*say --without learned$/],
    ["gates,mixed", /say --without gates$/], // the term Gmix(x) = x has no tensors
  ])("are refused without %s, with the cure", (name, message) => {
    expect(() => load(name)).toThrow(message);
    expect(() => load(name)).toThrow(WeightsError);
    expect(load(name, { without: partsOf(name.split(",")) }).config).toEqual(configOf(name));
  });

  test("half said is told the rest", () => {
    const config = { ...configOf("mixed"), without: partsOf(["mixed", "learned"]) };
    expect(() => load("mixed", { without: ["mixed"] }, config)).toThrow(
      /\(width 8, 5 levels, without mixed\).*say --without mixed,learned$/,
    );
  });

  test("parts that are there are extra", () => {
    const whole = hashedTensors({ ...configOf("mixed"), without: [] });
    expect(() => loadModel(whole, {}, { without: ["mixed"] })).toThrow(/extra .*mixed_attention\.fc\.0\.weight/);
    expect(() => loadModel(whole, {}, { without: ["gates"] })).toThrow(/extra .*spliced_attention/);
    expect(() => loadModel(whole, {}, { without: ["learned"] })).toThrow(/extra .*connection\.rbn1/);
    const complete = completeStateDict(whole, { ...DEFAULT_CONFIG, width: 8, levels: 5 }, 1);
    expect(() => loadModel(complete, {}, { without: ["blur"] })).toThrow(/extra .*gaussianMask\.weight/);
  });

  test("a state dict of PyTorch's with every buffer but the blur's asks which", () => {
    const config = configOf("blur");
    const state = completeStateDict(hashedTensors(config), config, 1);
    expect(() => loadModel(state, {}, {}, "w.pth")).toThrow(/but gaussianMask\.weight.*--without blur.*--blur code/);
    expect(loadModel(state, {}, { without: ["blur"] }).config).toEqual(config);
    expect(loadModel(state, {}, { blur: "code" }).config.without).toBeUndefined();
  });

  test("without gates and learned only the metadata tell s2asc from s2ad", () => {
    const name = "gates,learned";
    const without = partsOf(name.split(","));
    expect(() => load(name, { without })).toThrow(/no tensors that tell s2asc from s2ad/);
    const tensors = hashedTensors(configOf(name));
    expect(loadModel(tensors, { arch: "s2ad" }, { without }).config).toEqual(configOf(name));
    // Nothing said, they are those of the plain U-Net.
    expect(loadModel(tensors).config.arch).toBe("unet");
  });

  test("metadata that contradict the tensors, or name no part, are refused", () => {
    const tensors = hashedTensors(configOf("mixed"));
    expect(() => loadModel(tensors, { without: "learned" })).toThrow(/missing .*mixed_attention.*say --without mixed$/);
    for (const without of ["mix", "", "none"]) {
      expect(() => loadModel(tensors, { without }, {}, "w")).toThrow(/^w: metadata without must name parts of S2AM/);
      expect(() => loadModel(tensors, { without }, {}, "w")).toThrow(WeightsError);
    }
  });

  test("every tensor is accounted for", () => {
    const tensors = hashedTensors(configOf("mixed"));
    tensors.set("model.surplus", fromFloat32(new Float32Array(1), [1], "F32"));
    expect(() => loadModel(tensors, { without: "mixed" })).toThrow(/: extra model\.surplus$/);
  });
});

describe("what may be left out", () => {
  const create = (change: Partial<ModelConfig>) => () => initialTensors({ ...configOf("mixed"), ...change }, 1);
  test.each([
    [{ without: ["gates", "mixed", "learned"] }, /without gates,? ?mixed,? ?learned S2AM is the identity.*arch unet/],
    [{ without: ["gates", "mixed", "blur", "learned"] }, /is the identity/],
    [{ arch: "unet", without: ["blur"] }, /unet has no S2AM to leave out blur of/],
    [{ blur: "paper", without: ["blur"] }, /blur "paper".*give one of the two/],
    [{ without: ["mask"] as never }, /parts of S2AM \(gates, mixed, blur, learned\), got "mask"/],
  ] satisfies [Partial<ModelConfig>, RegExp][])("%j is refused", (change, message) => {
    expect(create(change)).toThrow(message);
    expect(create(change)).toThrow(UsageError);
  });

  test("is put in order, each part once", () => {
    expect(partsOf(["learned", "gates", "learned"])).toEqual(["gates", "learned"]);
    expect(partsOf([])).toEqual([]);
  });

  test("metadata of a whole network say nothing of it", () => {
    expect(metadataOf({ ...DEFAULT_CONFIG, without: [] })).toEqual(metadataOf(DEFAULT_CONFIG));
    expect(Object.keys(metadataOf(DEFAULT_CONFIG))).not.toContain("without");
  });
});
