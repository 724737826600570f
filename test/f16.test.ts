/** Networks stored as f16: how near they stay to f32, what they take, and what is refused. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { AdapterError, InputError, ShapeError } from "../src/errors.js";
import { specialize } from "../src/gpu/specialize.js";
import { compile } from "../src/graph/compile.js";
import { encode } from "../src/graph/elements.js";
import { Runtime } from "../src/graph/runtime.js";
import { problemKey } from "../src/graph/select.js";
import { constant, input } from "../src/graph/tensor.js";
import { Harmonizer } from "../src/harmonizer.js";
import { concat } from "../src/kernels/concat/op.js";
import { conv2d } from "../src/kernels/conv2d/op.js";
import { slice } from "../src/kernels/slice/op.js";
import { DEFAULT_CONFIG } from "../src/model/config.js";
import { differenceOf, dtypeErrorOf } from "../src/model/dtype_error.js";
import { Network } from "../src/model/network.js";
import { loadModel } from "../src/model/weights.js";
import { DEFAULT_WEIGHTS } from "../src/package.node.js";
import { testDevice } from "./helpers/device.js";
import { f16Device, NO_F16 } from "./helpers/f16_device.js";
import { hashedPicture, hashedTensors } from "./helpers/hashed.js";

const skipped = (): void => console.warn(`skipped: ${NO_F16}`);

describe("a network stored as f16", () => {
  test.each(["unet", "s2asc", "s2ad"] as const)("%s stays near to f32, in less memory", async (arch) => {
    const device = await f16Device();
    if (!device) return skipped();
    const config = { ...DEFAULT_CONFIG, arch, width: 16, levels: 5 };
    const model = loadModel(hashedTensors(config));
    const shape = [1, 64, 32] as const;
    const x = hashedPicture(...shape);
    const network = new Network(model, device, { dtype: "f16" });
    const { outputs } = await network.run(x, shape);
    const { maxRelative, psnr } = await dtypeErrorOf(network, x, shape, outputs.y ?? new Float32Array(0));
    // Some 20 layers one after another, each of whose results is rounded by at most 2^-11.
    expect(maxRelative).toBeLessThan(20 * 2 ** -11);
    expect(maxRelative).toBeGreaterThan(2 ** -16); // else nothing was stored as f16
    expect(psnr).toBeGreaterThan(40);
    await network.dispose();
    expect(network.runtime.memory.liveBytes).toBe(0);
  });

  test("takes half the memory where no kernel has scratch of its own", async () => {
    const device = await f16Device();
    if (!device) return skipped();
    const model = loadModel(hashedTensors({ ...DEFAULT_CONFIG, width: 16, levels: 5 }));
    const force = { conv2d: "direct", conv2d_compose: "direct", conv_transpose2d: "direct" };
    const parts = [];
    for (const dtype of ["f32", "f16"] as const) {
      const network = new Network(model, device, { dtype, force });
      parts.push((await network.plan([1, 64, 64])).parts);
      await network.dispose();
    }
    const [full, half] = parts as [(typeof parts)[number], (typeof parts)[number]];
    // What stays f32: the picture that comes in and the one that goes out, masks, gates, biases.
    expect(half.weightBytes / full.weightBytes).toBeLessThan(0.51);
    expect(half.activationBytes / full.activationBytes).toBeLessThan(0.6);
    expect(half.weightBytes / full.weightBytes).toBeGreaterThan(0.49);
  });

  test("harmonizes with the weights in the box, and says how far it is off", async () => {
    const device = await f16Device();
    if (!device) return skipped();
    const harmonizer = await Harmonizer.load(readFileSync(DEFAULT_WEIGHTS()), { device, dtype: "f16" });
    const size = { width: 64, height: 48 };
    const image = {
      ...size,
      channels: 3 as const,
      data: Uint8Array.from({ length: 64 * 48 * 3 }, (_, i) => (i * 37) % 251),
    };
    const mask = {
      ...size,
      channels: 1 as const,
      data: Float32Array.from({ length: 64 * 48 }, (_, i) => (i % 64 < 32 ? 1 : 0)),
    };
    const plain = await harmonizer.harmonize({ image, mask });
    expect(plain.f16Error).toBeUndefined();
    const { f16Error } = await harmonizer.harmonize({ image, mask }, { checkDtype: true });
    expect(f16Error?.maxAbs).toBeLessThan(0.01);
    expect(f16Error?.maxAbs).toBeGreaterThan(0);
    await harmonizer.dispose();
  });
});

describe("what is refused", () => {
  test("a device without shader-f16, naming the cure", async () => {
    const { device } = await testDevice();
    if (device.features.has("shader-f16")) return;
    const model = loadModel(hashedTensors({ ...DEFAULT_CONFIG, width: 16, levels: 5 }));
    expect(() => new Network(model, device, { dtype: "f16" })).toThrow(AdapterError);
    expect(() => new Network(model, device, { dtype: "f16" })).toThrow(/shader-f16.*use dtype f32, or choose another/);
    const runtime = new Runtime(device);
    const y = slice(input("x", [1, 2, 2, 4], "f16"), { start: 0, length: 2 });
    await expect(compile(runtime, { y })).rejects.toThrow(AdapterError);
    runtime.dispose();
  });

  test("a value that f16 cannot hold, and tensors stored differently in one", () => {
    expect(() => encode("w", Float32Array.of(1, -70000), "f16")).toThrow(InputError);
    expect(() => encode("w", Float32Array.of(1, -70000), "f16")).toThrow(/w: element 1 is -70000.*65504.*f32/);
    expect(encode("w", Float32Array.of(1, 2, 65504), "f16").byteLength).toBe(8);
    expect(() => concat([input("a", [1, 1, 1, 2]), input("b", [1, 1, 1, 2], "f16")])).toThrow(ShapeError);
    const [x, w] = [input("x", [1, 3, 3, 4], "f16"), constant("w", [3, 3, 4, 4], new Float32Array(144), "f16")];
    const bias = constant("bias", [4], new Float32Array(4), "f16");
    expect(() => conv2d(x, w, bias, { stride: 1, padding: 1 })).toThrow(/bias must be stored as f32, got f16/);
  });
});

test("the same work in another dtype has another key", () => {
  const view = (dtype: "f32" | "f16") => ({ shape: [1, 2, 2, 4], dtype, pitch: 4, offset: 0, base: null, storage: 0 });
  const key = (x: "f32" | "f16", y: "f32" | "f16") =>
    problemKey({ op: "toy", attrs: {}, inputs: [view(x), null], outputs: [view(y)] });
  expect(key("f32", "f32")).toBe("toy 1x2x2x4,- {}");
  expect(key("f16", "f16")).toBe("toy 1x2x2x4:f16,- -> 1x2x2x4:f16 {}");
  expect(new Set([key("f32", "f32"), key("f16", "f16"), key("f16", "f32"), key("f32", "f16")]).size).toBe(4);
});

test("a type of half precision enables it, once", () => {
  const source = "alias X = f32; // specialised\n";
  expect(specialize(source, { types: { X: "vec4<f16>" } })).toBe("enable f16;\nalias X = vec4<f16>; // specialised\n");
  expect(specialize(source, { types: { X: "f32" } })).toBe("alias X = f32; // specialised\n");
  expect(specialize(`enable f16;\n${source}`, { types: { X: "f16" } }).match(/enable f16/g)).toHaveLength(1);
});

test("f16 tensors with odd lengths go in and come out", async () => {
  const device = await f16Device();
  if (!device) return skipped();
  const runtime = new Runtime(device);
  const x = input("x", [1, 1, 5, 3], "f16");
  const parts = [0, 1, 2].map((start) => slice(x, { start, length: 1 }));
  const plan = await compile(runtime, { y: concat([...parts].reverse()), x: slice(x, { start: 0, length: 3 }) });
  const values = Float32Array.from({ length: 15 }, (_, i) => i / 8);
  const { outputs } = await plan.run({ x: values });
  const turned = values.map((_, i) => values[i - (i % 3) + 2 - (i % 3)] ?? Number.NaN);
  expect(outputs.y).toEqual(turned);
  expect(outputs.x).toEqual(values);
  await plan.dispose();
  runtime.dispose();
});

test("a difference is measured against what should be", () => {
  expect(differenceOf(Float32Array.of(1, 2), Float32Array.of(1, 2))).toEqual({ maxAbs: 0, maxRelative: 0, psnr: null });
  const { maxAbs, maxRelative, psnr } = differenceOf(Float32Array.of(0.5, 2), Float32Array.of(0, 2));
  expect([maxAbs, maxRelative]).toEqual([0.5, 0.25]);
  expect(psnr).toBeCloseTo(10 * Math.log10(8), 10);
  expect(differenceOf(Float32Array.of(Number.NaN), Float32Array.of(1)).maxAbs).toBe(Number.POSITIVE_INFINITY);
});
