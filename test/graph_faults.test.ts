/** What goes wrong on the GPU's side: buffers too large or refused, devices lost. Nothing hangs, nothing leaks. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { DeviceLostError, OutOfMemoryError } from "../src/errors.js";
import type { OpenedDevice } from "../src/gpu/device.js";
import { openDevice } from "../src/gpu/open_device.node.js";
import { compile } from "../src/graph/compile.js";
import { Runtime } from "../src/graph/runtime.js";
import { constant, input, type Tensor } from "../src/graph/tensor.js";
import { relu, sigmoid } from "../src/kernels/activation/op.js";
import { conv2d } from "../src/kernels/conv2d/op.js";
import { testDevice, withErrorScopes } from "./helpers/device.js";
import { values, weights } from "./helpers/graphs.js";

const x = input("x", [1, 8, 8, 4]);
const X = values(x.shape);
/** With weights that may be repacked, scratch, and more than one activation. */
const graph = (): { y: Tensor } => ({
  y: sigmoid(conv2d(relu(x), weights("w", [3, 3, 4, 8]), weights("b", [8]), { stride: 1, padding: 1 })),
});

describe("memory", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = new Runtime((await testDevice()).device);
    runtime.zeroBuffer();
  });
  afterAll(() => runtime.dispose());

  test("a tensor over the device's limits is refused before anything is allocated", async () => {
    const { device } = runtime;
    const createBuffer = vi.spyOn(device, "createBuffer");
    const side =
      Math.ceil(Math.sqrt(Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize) / 4)) + 1;
    const refused = compile(runtime, { y: sigmoid(relu(input("huge", [1, side, side, 1]))) });
    await expect(refused).rejects.toThrow(OutOfMemoryError);
    await expect(refused).rejects.toThrow(/needs a buffer of .* MiB, this device allows .* MiB: use a smaller image/);
    expect(createBuffer).not.toHaveBeenCalled();
    createBuffer.mockRestore();
  });

  /** Makes the nth buffer fail, n = 0, 1, ... until a compile succeeds. @returns how many failed */
  async function failEveryBuffer(fail: (create: () => GPUBuffer, descriptor: GPUBufferDescriptor) => GPUBuffer) {
    const { device, memory } = runtime;
    const { liveBytes, liveBuffers } = memory;
    for (let failing = 0; failing < 50; failing++) {
      let calls = 0;
      const original = device.createBuffer.bind(device);
      const patched = vi.spyOn(device, "createBuffer").mockImplementation((descriptor) => {
        const create = (): GPUBuffer => original(descriptor);
        return calls++ === failing ? fail(create, descriptor) : create();
      });
      const outcome = await withErrorScopes(device, () => compile(runtime, graph()).catch((error: Error) => error));
      patched.mockRestore();
      if (!(outcome instanceof Error)) {
        expect((await outcome.run({ x: X })).outputs.y).toHaveLength(8 * 8 * 8);
        await outcome.dispose();
        return failing;
      }
      expect(outcome.message, `buffer ${failing}`).toContain("refused");
      expect({ liveBytes: memory.liveBytes, liveBuffers: memory.liveBuffers }).toEqual({ liveBytes, liveBuffers });
    }
    throw new Error("compile never succeeded");
  }

  test("a buffer that cannot be created leaves nothing behind, whichever it is", async () => {
    const failures = await failEveryBuffer(() => {
      throw new RangeError("refused");
    });
    expect(failures).toBeGreaterThanOrEqual(4);
  });

  test("neither does one that WebGPU reports later", async () => {
    const failures = await failEveryBuffer((_, { label, usage }) => {
      return runtime.device.createBuffer({ label: `refused ${label}`, usage, size: 2 ** 52 });
    });
    expect(failures).toBeGreaterThanOrEqual(4);
  });

  test("a constant that cannot be loaded leaves nothing behind", async () => {
    const { liveBytes } = runtime.memory;
    const load = (): Float32Array => {
      throw new Error("the file is gone");
    };
    const y = conv2d(x, constant("w", [3, 3, 4, 8], load), null, { stride: 1, padding: 1 });
    await expect(compile(runtime, { y })).rejects.toThrow("the file is gone");
    const short = conv2d(x, constant("w", [3, 3, 4, 8], new Float32Array(7)), null, { stride: 1, padding: 1 });
    await expect(compile(runtime, { y: short })).rejects.toThrow(/its shape needs 288 elements, it has 7/);
    expect(runtime.memory.liveBytes).toBe(liveBytes);
  });
});

describe("a device that is lost", () => {
  let opened: OpenedDevice;
  let runtime: Runtime;
  beforeEach(async () => {
    opened = await openDevice({ adapter: process.env.S2AM_ADAPTER || "bundled", log: () => undefined });
    runtime = new Runtime(opened.device);
  });

  test("before a run", async () => {
    const plan = await compile(runtime, graph());
    opened.device.destroy();
    await expect(plan.run({ x: X })).rejects.toThrow(DeviceLostError);
    await expect(plan.run({ x: X })).rejects.toThrow(/open a new device/);
    await plan.dispose();
    expect(runtime.memory.liveBytes).toBeLessThanOrEqual(64);
  });

  test("during runs", async () => {
    const large = input("large", [1, 512, 512, 16]);
    const plan = await compile(runtime, { y: sigmoid(relu(large)) });
    const runs = [1, 2].map((seed) => plan.run({ large: values(large.shape, seed) }).catch((error: Error) => error));
    await new Promise((resolve) => setTimeout(resolve, 1));
    opened.device.destroy();
    for (const outcome of await Promise.all(runs)) {
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(DeviceLostError);
    }
    expect(await runs[1]).toBeInstanceOf(DeviceLostError);
    await plan.dispose();
  });

  test("before and during compile", async () => {
    const compiling = compile(runtime, graph()).catch((error: Error) => error);
    opened.device.destroy();
    expect(await compiling).toBeInstanceOf(DeviceLostError);
    await expect(compile(runtime, graph())).rejects.toThrow(DeviceLostError);
    expect(runtime.memory.liveBytes).toBeLessThanOrEqual(64);
  });
});
