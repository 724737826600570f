/**
 * The built library on a second implementation of WebGPU: Deno's wgpu, whose shader compiler is naga. What it makes of the same
 * kernels on the same driver is held against dawn.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import type { AdapterDescription } from "../../src/gpu/device.js";
import * as s2am from "../../src/index.js";
import { DEFAULT_WEIGHTS, decodeImage, openDevice, packageFile } from "../../src/node.js";
import { bundle, denoAdapters, root, runDeno } from "./adapters.js";
import { type PictureResult, picture, smallWeights, type TrainingResult, training } from "./work.js";

const DIST = packageFile("dist", "index.js");
const weights = new Uint8Array(readFileSync(DEFAULT_WEIGHTS()));

let main: string;
beforeAll(async () => {
  if (!existsSync(DIST)) throw new Error("dist/index.js is missing: npm run build");
  main = await bundle("main.ts");
});

describe.each(denoAdapters().map((adapter) => [adapter.name, adapter] as const))("on %s", (name, adapter) => {
  async function inDeno<T>(job: string): Promise<{ adapter: AdapterDescription; result: T }> {
    const { code, stdout } = await runDeno(
      ["run", "-A", main, job, pathToFileURL(DIST).href, DEFAULT_WEIGHTS()],
      adapter,
    );
    expect(code, job).toBe(0);
    const { unexpected, ...answer } = JSON.parse(stdout);
    expect(unexpected).toEqual([]);
    return answer;
  }

  /** On dawn, with the features that wgpu offers: the same kernels are then chosen. */
  async function onDawn<T>(work: (device: GPUDevice) => Promise<T>): Promise<T> {
    const { device, close } = await openDevice({
      adapter: adapter.choice,
      features: ["shader-f16", "timestamp-query"],
      log: () => undefined,
    });
    const result = await work(device);
    await close();
    return result;
  }

  test("the picture is dawn's, bit for bit, and the driver is known for a CPU", async () => {
    const [found, expected] = [await inDeno<PictureResult>("picture"), await onDawn((d) => picture(s2am, d, weights))];
    expect(found.adapter.isSoftware).toBe(true);
    expect(found.result.changed).toBeGreaterThan(1000);
    expect(found.result.pixels).toEqual(expected.pixels);
  });

  // Four to nine seconds a kernel with barriers on SwiftShader.
  test.skipIf(name === "SwiftShader")("by kernels for GPUs, in f32: dawn's picture, bit for bit", async () => {
    const { result } = await inDeno<PictureResult>("picture by kernels for GPUs");
    const small = smallWeights(s2am);
    const expected = await onDawn((device) => picture(s2am, device, small, { software: false }));
    expect(result.changed).toBeGreaterThan(1000);
    expect(result.pixels).toEqual(expected.pixels);
  });

  test("two training steps leave dawn's parameters", async () => {
    const [{ result }, expected] = [await inDeno<TrainingResult>("training"), await onDawn(training)];
    expect(result.losses[0]).toBeGreaterThan(0);
    expect(result.losses).toEqual(expected.losses);
    expect(result.parameters).toEqual(expected.parameters);
  });

  test("errors are told by their types", async () => {
    const { result } = await inDeno<Record<string, string>>("errors");
    expect(result).toEqual({
      "a mask of another size": "INPUT",
      "damaged weights": "WEIGHTS",
      "no memory": "MEMORY",
      aborted: "ABORTED",
      "a lost device": "DEVICE_LOST",
    });
  });

  test("the README's line harmonizes a picture", async () => {
    const line = /^deno run (.*examples\/deno\.mjs) /m.exec(readFileSync(join(root, "README.md"), "utf8"))?.[1];
    if (!line) throw new Error("README.md has no line `deno run ... examples/deno.mjs`");
    const folder = mkdtempSync(join(tmpdir(), "s2am-deno-"));
    try {
      const output = join(folder, "out.png");
      const pictures = ["examples/dogs.png", "examples/dogs_mask.png", output];
      const { code } = await runDeno(["run", "--no-prompt", ...line.split(" "), ...pictures], adapter);
      expect(code).toBe(0);
      const [before, after] = [await decodeImage("examples/dogs.png"), await decodeImage(output)];
      expect([after.width, after.height]).toEqual([before.width, before.height]);
      expect(after.data.some((value, i) => value !== before.data[i])).toBe(true);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
