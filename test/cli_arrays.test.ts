/** `s2am run` and `s2am convert`: the same numbers whatever file the weights come in. */
import { beforeAll, describe, expect, test } from "vitest";
import { parseNpy, serializeNpy } from "../src/io/npy.js";
import { parseSafetensors } from "../src/io/safetensors.js";
import { toFloat32 } from "../src/io/tensor_data.js";
import { fillArray } from "../src/kernels/suite.js";
import { Network } from "../src/model/network.js";
import { loadModel } from "../src/model/weights.js";
import { tinyTensors, workspace } from "./helpers/command_line.js";
import { testDevice } from "./helpers/device.js";
import { checkpointOf } from "./helpers/pytorch_checkpoints.js";

const work = workspace();
const [B, H, W] = [2, 32, 64];
const x = Float32Array.from(fillArray([B, 4, H, W], 5).data);
const tensors = tinyTensors();

beforeAll(() => {
  work.write("x.npy", serializeNpy([B, 4, H, W], x));
  work.write("legacy.pth.tar", checkpointOf(tensors, "legacy"));
  work.write("zip.pth", checkpointOf(tensors, "zip"));
});

async function run(weights: string, ...flags: readonly string[]): Promise<Float32Array> {
  const args = ["run", "--weights", weights, "--input", "x.npy", "--output", "y.npy", ...flags];
  expect(await work.done(args)).toEqual({
    output: "y.npy",
    shape: [B, 3, H, W],
    arch: "unet",
    width: 4,
    levels: 5,
    adapter: expect.any(String),
    ms: expect.any(Number),
    dtype: "f32",
    gpuMs: expect.toSatisfy((value) => value === null || typeof value === "number"),
  });
  const { shape, data } = parseNpy(work.read("y.npy"));
  expect(shape).toEqual([B, 3, H, W]);
  return data;
}

const difference = (a: Float32Array, b: Float32Array): number =>
  a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (b[i] ?? Number.NaN))), 0);

/** Channels first to channels last, an index at a time. */
function channelsLast(planar: Float32Array, channels: number): Float32Array {
  const area = H * W;
  return planar.map((_, i) => {
    const [n, pixel, c] = [Math.floor(i / (area * channels)), Math.floor(i / channels) % area, i % channels];
    return planar[(n * channels + c) * area + pixel] ?? Number.NaN;
  });
}

describe("s2am run", () => {
  test("answers the network's own numbers, channels first", async () => {
    const { device, description } = await testDevice();
    const network = new Network(loadModel(tensors), device, { software: description.isSoftware });
    const { outputs } = await network.run(channelsLast(x, 4), [B, H, W]);
    await network.dispose();
    const y = await run("zip.pth");
    expect(difference(channelsLast(y, 3), outputs.y ?? new Float32Array(0))).toBe(0);
    expect(Math.max(...y) - Math.min(...y)).toBeGreaterThan(0.1);
    expect(Math.min(...y) < 0 || Math.max(...y) > 1).toBe(true); // not clamped
  });
});

describe("s2am convert", () => {
  test("float32 keeps every bit, and so does what the network answers", async () => {
    const result = await work.done([
      "convert",
      "legacy.pth.tar",
      "f32.safetensors",
      "--global-skip",
      "--blur",
      "paper",
    ]);
    const file = parseSafetensors(work.read("f32.safetensors"));
    expect(result).toMatchObject({ output: "f32.safetensors", arch: "unet", width: 4, levels: 5, dtype: "f32" });
    expect(result.bytes).toBe(work.read("f32.safetensors").length);
    expect(result.parameters).toBe([...tensors.values()].reduce((sum, { data }) => sum + data.length / 4, 0));
    expect({ ...file.metadata }).toEqual({ arch: "unet", width: "4", levels: "5", global_skip: "true", blur: "paper" });
    expect([...file.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
    for (const [key, { shape, data }] of tensors) {
      expect(file.tensors.get(key)).toMatchObject({ dtype: "F32", shape });
      expect(Buffer.compare(file.tensors.get(key)?.data ?? new Uint8Array(0), data)).toBe(0);
    }
    const skipped = await run("f32.safetensors");
    expect(difference(skipped, await run("legacy.pth.tar", "--global-skip"))).toBe(0);
    // The metadata's global skip is the input's colours added.
    const bare = await run("f32.safetensors", "--no-global-skip");
    const area = H * W;
    const added = bare.map((value, i) => value + (x[i + Math.floor(i / (3 * area)) * area] ?? Number.NaN));
    expect(difference(skipped, added)).toBeLessThan(1e-6);
  });

  test("float16 halves the convolutions, leaves the statistics, and answers nearly the same", async () => {
    await work.done(["convert", "zip.pth", "f16.safetensors", "--dtype", "f16"]);
    const file = parseSafetensors(work.read("f16.safetensors"));
    expect({ ...file.metadata }).toMatchObject({ global_skip: "false", blur: "code" });
    for (const [key, tensor] of file.tensors) {
      expect(tensor.dtype).toBe(tensor.shape.length === 4 ? "F16" : "F32");
      const exact = toFloat32(tensors.get(key) ?? tensor);
      expect(difference(toFloat32(tensor), exact)).toBeLessThanOrEqual(2 ** -11 * Math.max(...exact.map(Math.abs)));
    }
    const [exact, half] = [await run("zip.pth"), await run("f16.safetensors")];
    expect(difference(half, exact)).toBeLessThan(0.02 * Math.max(...exact.map(Math.abs)));
    expect(difference(half, exact)).toBeGreaterThan(0);
    // There and back: what float16 holds, float32 holds too.
    await work.done(["convert", "f16.safetensors", "back.safetensors"]);
    expect(difference(await run("back.safetensors"), half)).toBe(0);
  });
});
