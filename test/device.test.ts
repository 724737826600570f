/** Asking for a device, describing it, and hearing of its faults. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AdapterError, DeviceLostError } from "../src/errors.js";
import {
  describeAdapter,
  OPTIONAL_FEATURES,
  type OpenedDevice,
  openDevice as openInBrowser,
  watchDevice,
} from "../src/gpu/device.js";
import { checkDevice } from "../src/gpu/device_checks.js";
import { GPU_COPY_DST } from "../src/gpu/memory.js";
import { type OpenDeviceOptions, openDevice } from "../src/gpu/open_device.node.js";
import { testDevice, withErrorScopes } from "./helpers/device.js";

const opened: OpenedDevice[] = [];
afterAll(async () => {
  for (const one of opened) await one.close();
});

async function open(options: OpenDeviceOptions = {}): Promise<OpenedDevice> {
  const one = await openDevice({ adapter: process.env.S2AM_ADAPTER || "bundled", log: () => undefined, ...options });
  opened.push(one);
  return one;
}

describe("a device", () => {
  test("has the adapter's limits and the optional features it offers", async () => {
    const { device, description } = await open();
    for (const [name, value] of Object.entries(description.limits)) {
      expect(device.limits[name as keyof GPUSupportedLimits], name).toBe(value);
    }
    for (const feature of OPTIONAL_FEATURES) {
      expect(device.features.has(feature), feature).toBe(description.features.includes(feature));
    }
  });

  test("can be held to what every device has", async () => {
    const { device } = await open({ limits: "default", features: [] });
    expect(device.limits.maxStorageBufferBindingSize).toBe(2 ** 27);
    expect(device.limits.maxComputeWorkgroupStorageSize).toBe(16384);
    expect(device.limits.maxStorageBuffersPerShaderStage).toBe(8);
    for (const feature of OPTIONAL_FEATURES) expect(device.features.has(feature)).toBe(false);
  });

  test.each([{ timestamps: "exact" }, { unsafeFast: true }, { dawnFeatures: { enable: ["no_such_toggle"] } }] as const)(
    "computes right with %o",
    async (options) => {
      const { device } = await open(options);
      for (const check of await checkDevice(device)) expect(check.outcome, check.detail).not.toBe("failed");
    },
  );

  test("closes once, however often it is told to", async () => {
    const { device, close } = await open();
    await Promise.all([close(), close()]);
    await close();
    expect((await device.lost).reason).toBe("destroyed");
  });
});

describe("a description", () => {
  test("of a device equals its adapter's, but for the name", async () => {
    const { device, description } = await testDevice();
    const again = describeAdapter(device, description.name);
    expect(again).toMatchObject({ name: description.name, vendor: description.vendor, limits: description.limits });
    expect(JSON.parse(JSON.stringify(description))).toEqual(description);
  });

  test("does without adapter info", () => {
    const bare = { features: new Set(["subgroups"]), limits: {} } as unknown as GPUAdapter;
    expect(describeAdapter(bare)).toMatchObject({
      name: "unnamed adapter",
      vendor: "",
      isSoftware: false,
      features: ["subgroups"],
      subgroupMaxSize: 0,
    });
  });

  test.each(["SwiftShader Device", "llvmpipe (LLVM 15.0.6, 256 bits)", "Microsoft Basic Render Driver"])(
    "knows %s for software by its name",
    (description) => {
      const adapter = { info: { description }, features: new Set(), limits: {} } as unknown as GPUAdapter;
      expect(describeAdapter(adapter).isSoftware).toBe(true);
    },
  );
});

describe("a watch", () => {
  let watched: OpenedDevice;
  beforeAll(async () => {
    watched = await open();
  });

  test("collects errors that no scope caught, and the loss", async () => {
    const { device, close } = watched;
    const watch = watchDevice(device);
    device.createBuffer({ label: "too large", size: device.limits.maxBufferSize + 4, usage: GPU_COPY_DST });
    await device.queue.onSubmittedWorkDone();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(watch.errors.map((error) => error.message)).toEqual([expect.stringMatching(/too large/)]);
    watch.stop();
    await close();
    const lost = await watch.lost;
    expect(lost).toBeInstanceOf(DeviceLostError);
    expect(lost.message).toMatch(/destroyed/);
  });
});

test("the tests' error scopes fail a test that WebGPU complains of", async () => {
  const { device } = await testDevice();
  await expect(withErrorScopes(device, () => device.createShaderModule({ code: "fn broken( {}" }))).rejects.toThrow(
    /WebGPU errors/,
  );
  expect(await withErrorScopes(device, () => 7)).toBe(7);
});

describe("in a browser", () => {
  const gpu = (adapter: Partial<GPUAdapter> | null): GPU => ({ requestAdapter: async () => adapter }) as unknown as GPU;

  test("without WebGPU the error says what has it", async () => {
    await expect(openInBrowser()).rejects.toThrow(AdapterError);
    await expect(openInBrowser()).rejects.toThrow(/navigator\.gpu is missing.*Chrome/);
  });

  test("without an adapter it says what to turn on", async () => {
    await expect(openInBrowser({ gpu: gpu(null) })).rejects.toThrow(/no WebGPU adapter.*hardware acceleration/);
  });

  test("an adapter that gives no device is named", async () => {
    const adapter = {
      info: { description: "Some GPU" } as GPUAdapterInfo,
      features: new Set() as unknown as GPUSupportedFeatures,
      limits: {} as GPUSupportedLimits,
      requestDevice: () => Promise.reject(new Error("out of luck")),
    };
    await expect(openInBrowser({ gpu: gpu(adapter) })).rejects.toThrow(/"Some GPU" gave no device: out of luck/);
  });
});
