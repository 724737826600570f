/** The networks against PyTorch: every level of a small net, and the full eight levels end to end. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { UsageError, WeightsError } from "../src/errors.js";
import { compile } from "../src/graph/compile.js";
import { input } from "../src/graph/tensor.js";
import { parseSafetensors } from "../src/io/safetensors.js";
import { fromFloat32, toFloat32 } from "../src/io/tensor_data.js";
import { type Arch, DEFAULT_CONFIG, type ModelConfig } from "../src/model/config.js";
import { initialTensors } from "../src/model/init.js";
import { Network } from "../src/model/network.js";
import { unet } from "../src/model/unet.js";
import { loadModel, parameterShapes } from "../src/model/weights.js";
import { testDevice } from "./helpers/device.js";
import { hashedPicture, hashedTensors } from "./helpers/hashed.js";

/** Of the largest value: what a user who compares with PyTorch is promised. */
const RELATIVE = 1e-4;

let device: GPUDevice;
let software: boolean;
beforeAll(async () => {
  const opened = await testDevice();
  device = opened.device;
  software = opened.description.isSoftware;
});

const fixture = (name: string) =>
  parseSafetensors(readFileSync(new URL(`fixtures/models/${name}.safetensors`, import.meta.url))).tensors;

/** Largest difference of NHWC values from NCHW ones, relative to the largest of these. */
function relativeError(got: Float32Array, expected: Float32Array, [n, c, h, w]: readonly number[] = []): number {
  let [worst, largest] = [0, 0];
  expected.forEach((value, i) => {
    const column = i % (w ?? 1);
    const y = Math.floor(i / (w ?? 1)) % (h ?? 1);
    const channel = Math.floor(i / ((w ?? 1) * (h ?? 1))) % (c ?? 1);
    const image = Math.floor(i / ((w ?? 1) * (h ?? 1) * (c ?? 1)));
    const other = got[((image * (h ?? 1) + y) * (w ?? 1) + column) * (c ?? 1) + channel] ?? Number.NaN;
    const error = Math.abs(value - other);
    worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(worst, error);
    largest = Math.max(largest, Math.abs(value));
  });
  expect(got.length).toBe(expected.length);
  expect(n).toBeGreaterThan(0);
  return worst / largest;
}

const NETS: readonly (readonly [Arch, number])[] = [
  ["unet", 8],
  ["s2asc", 16],
  ["s2ad", 8],
];

describe.each(NETS)("%s, width %i", (arch, width) => {
  const config = (levels: number): ModelConfig => ({ ...DEFAULT_CONFIG, arch, width, levels });

  test("every level of a small net equals PyTorch's", async () => {
    const expected = fixture(`${arch}${width}_levels5`);
    const network = new Network(loadModel(hashedTensors(config(5))), device, { software });
    const { y, levels } = unet(network.model.layers, config(5), input("x", [2, 32, 64, 4]));
    const outputs = { y, ...Object.fromEntries(levels.map((tensor, k) => [`level/${k}`, tensor])) };
    const plan = await compile(network.runtime, outputs);
    const found = (await plan.run({ x: hashedPicture(2, 32, 64) })).outputs;
    expect(Object.keys(found).sort()).toEqual([...expected.keys()].sort());
    for (const [name, tensor] of expected) {
      const error = relativeError(found[name] ?? new Float32Array(0), toFloat32(tensor), tensor.shape);
      expect(error, name).toBeLessThanOrEqual(RELATIVE);
    }
    await plan.dispose();
    await network.dispose();
    expect(network.runtime.memory.liveBytes).toBe(0);
  });

  test("eight levels at 256 x 256 equal PyTorch's", async () => {
    const expected = fixture(`${arch}${width}_levels8`).get("y");
    const network = new Network(loadModel(hashedTensors(config(8))), device, { software });
    const { outputs } = await network.run(hashedPicture(1, 256, 256), [1, 256, 256]);
    const y = outputs.y ?? new Float32Array(0);
    const sampled = new Float32Array(64 * 64 * 3);
    for (let i = 0; i < sampled.length; i++) {
      const [c, column, row] = [i % 3, Math.floor(i / 3) % 64, Math.floor(i / 192)];
      sampled[i] = y[((1 + 4 * row) * 256 + 2 + 4 * column) * 3 + c] ?? Number.NaN;
    }
    expect(
      relativeError(sampled, expected ? toFloat32(expected) : new Float32Array(0), expected?.shape),
    ).toBeLessThanOrEqual(RELATIVE);
    await network.dispose();
  });

  test("planned memory and a buffer each give the same bits", async () => {
    const model = loadModel(hashedTensors(config(5)));
    const x = hashedPicture(1, 32, 32);
    const runs = [];
    for (const planMemory of [true, false]) {
      const network = new Network(model, device, { software, planMemory });
      runs.push((await network.run(x, [1, 32, 32])).outputs.y);
      await network.dispose();
    }
    expect(runs[0]).toEqual(runs[1]);
  });

  test("parameters are counted as the published networks'", () => {
    const full = [...parameterShapes({ ...DEFAULT_CONFIG, arch })];
    const trained = full.filter(([key]) => !key.includes("running_"));
    const count = trained.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(count).toBe({ unet: 54_414_979, s2asc: 57_564_055, s2ad: 67_003_051 }[arch]);
  });
});

describe("weights", () => {
  const small: ModelConfig = { ...DEFAULT_CONFIG, arch: "s2ad", width: 8, levels: 5 };

  test("architecture, width and levels are read off the tensors", () => {
    for (const [arch, width] of NETS) {
      const { config } = loadModel(hashedTensors({ ...small, arch, width }));
      expect(config).toEqual({ arch, width, levels: 5, globalSkip: false, blur: "code" });
    }
  });

  test("metadata gives the options, the caller's win", () => {
    const tensors = hashedTensors(small);
    const metadata = { arch: "s2ad", width: "8", levels: "5", global_skip: "true", blur: "paper" };
    expect(loadModel(tensors, metadata).config).toMatchObject({ globalSkip: true, blur: "paper" });
    expect(loadModel(tensors, metadata, { globalSkip: false, blur: "code" }).config).toMatchObject({
      globalSkip: false,
      blur: "code",
    });
    expect(() => loadModel(tensors, { ...metadata, width: "16" })).toThrow(/metadata says width 16.*width 8/);
    expect(() => loadModel(tensors, { ...metadata, global_skip: "1" })).toThrow(/must be "true" or "false"/);
  });

  test("missing, extra, misshapen and non-finite tensors are named", () => {
    const key = "model.model.sub.model.down.2.bias";
    const broken = (change: (tensors: ReturnType<typeof hashedTensors>) => void) => {
      const tensors = hashedTensors(small);
      change(tensors);
      return () => loadModel(tensors, {}, {}, "w.pth");
    };
    expect(broken((t) => t.delete(key))).toThrow(`missing ${key}`);
    expect(broken((t) => t.set("model.surplus", fromFloat32(new Float32Array(1), [1], "F32")))).toThrow(
      "extra model.surplus",
    );
    expect(broken((t) => t.set(key, fromFloat32(new Float32Array(3), [3], "F32")))).toThrow(
      `${key} is [3], expected [16]`,
    );
    expect(broken((t) => t.set(key, fromFloat32(new Float32Array(16).fill(Number.NaN), [16], "F32")))).toThrow(
      /not finite/,
    );
    expect(broken((t) => t.clear())).toThrow(WeightsError);
  });

  test("widths and levels outside a network's range are typed errors", () => {
    expect(() => initialTensors({ ...small, arch: "s2asc", width: 8 }, 1)).toThrow(UsageError);
    expect(() => initialTensors({ ...small, width: 4 }, 1)).toThrow(UsageError);
    expect(() => initialTensors({ ...small, levels: 4 }, 1)).toThrow(UsageError);
  });

  test("initial weights depend on the seed alone", () => {
    const bytes = (seed: number): Buffer =>
      Buffer.concat([...initialTensors(small, seed).values()].map(({ data }) => data));
    expect(bytes(7).equals(bytes(7))).toBe(true);
    expect(bytes(7).equals(bytes(8))).toBe(false);
  });
});
