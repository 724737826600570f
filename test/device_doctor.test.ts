/** The doctor's report, its checks, and its advice for machines that are not at hand. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { checkDevice } from "../src/gpu/device_checks.js";
import { diagnose, formatReport } from "../src/gpu/doctor.node.js";
import { adviseVulkan, type VulkanFacts } from "../src/gpu/vulkan_drivers.node.js";
import { Runtime } from "../src/graph/runtime.js";
import { checkCase } from "../src/kernels/check.js";
import { conv2dSuite } from "../src/kernels/conv2d/cases.js";
import { differenceOf } from "../src/model/dtype_error.js";
import { testDevice } from "./helpers/device.js";
import { LIES, lyingDevice } from "./helpers/lying_device.js";

const KERNEL = "kernel against the CPU";

afterEach(() => vi.unstubAllEnvs());

describe("the report", () => {
  test("tells the adapter, its features, limits and checks", async () => {
    const report = await diagnose({ adapter: "bundled" });
    expect(report).toMatchObject({
      ok: true,
      asked: "bundled",
      error: null,
      adapter: { choice: "bundled", isSoftware: true },
    });
    expect(report.adapters.map(({ source }) => source)).toContain("bundled");
    expect(report.platform.webgpu).toMatch(/^\d+\.\d+\.\d+$/);
    expect(report.checks.map(({ name }) => name)).toEqual([
      "kernel against the CPU",
      "shader-f16",
      "subgroups",
      "timestamp-query",
    ]);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(formatReport(report)).toMatch(/adapter {3}SwiftShader.*, software, bundled \(asked: bundled\)/);
  });

  test("without an adapter says why, and does not throw", async () => {
    vi.stubEnv("VK_ICD_FILENAMES", "/nonexistent/driver.json");
    vi.stubEnv("VK_DRIVER_FILES", undefined);
    const report = await diagnose({ adapter: "gpu" });
    expect(report).toMatchObject({ ok: false, adapter: null, device: null, checks: [] });
    expect(report.error).toMatch(/no hardware adapter/);
    expect(report.findings).toContainEqual({
      problem: "VK_ICD_FILENAMES names /nonexistent/driver.json, which cannot be read",
      cure: "unset VK_ICD_FILENAMES",
    });
    expect(formatReport(report)).toMatch(/adapter {3}none \(asked: gpu\): no hardware adapter/);
  });

  test("examines a device it is given, and leaves it open", async () => {
    const { device } = await testDevice();
    const report = await diagnose({ device });
    expect(report).toMatchObject({ ok: true, asked: "given", adapter: { choice: "given" } });
    expect((await checkDevice(device))[0]).toMatchObject({ outcome: "passed" });
  });
});

test("a device that computes wrongly fails its check", async () => {
  const { device } = await testDevice();
  const wrong = new Proxy(device, {
    get(target, property) {
      if (property === "createShaderModule") {
        return ({ code }: GPUShaderModuleDescriptor) =>
          target.createShaderModule({ code: code.replaceAll("partial[lane + stride]", "partial[lane]") });
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const [kernel] = await checkDevice(wrong);
  expect(kernel?.outcome).toBe("failed");
  expect(kernel?.detail).toMatch(/element 4096 is .*, the CPU has/);
});

describe.each(LIES)("a device that answers %s", (lie) => {
  test("fails every check of what it offers", async () => {
    const { device } = await testDevice();
    const checks = await checkDevice(lyingDevice(device, lie));
    expect(checks.map(({ name, outcome }) => [name, outcome])).toEqual(
      checks.map(({ name }) => [name, name === KERNEL || device.features.has(name) ? "failed" : "absent"]),
    );
  });

  test("fails the check by which kernels, matrix units, tuner and bench are judged", async () => {
    const { device } = await testDevice();
    const runtime = new Runtime(lyingDevice(device, lie));
    const row = conv2dSuite.cases.find(({ name }) => name === "1x13x37x24-40_k3s1p1_bias_leaky_relu");
    if (!row) throw new Error("conv2d has no such case");
    const { worst } = await checkCase(runtime, conv2dSuite, row, "direct");
    expect(worst).toBeGreaterThan(1);
    runtime.dispose();
  });
});

test("what f16 costs is not measured against a device that does not compute", () => {
  const [same, other] = [new Float32Array(8).fill(0.5), Float32Array.from({ length: 8 }, (_, i) => i)];
  expect(() => differenceOf(same, same)).toThrow(/answers 0.5 everywhere: the device does not compute/);
  expect(differenceOf(same, other).maxAbs).toBe(6.5);
});

describe("the advice", () => {
  const bare: VulkanFacts = {
    distribution: "debian bookworm",
    manifests: [],
    gpus: [],
    variables: {},
    messages: [],
    hasHardwareAdapter: false,
    hasSystemAdapter: false,
    wantsHardware: false,
  };
  const lavapipe = { path: "/usr/share/vulkan/icd.d/lvp_icd.json", library: "libvulkan_lvp.so", apiVersion: "1.1.230" };
  const nvidia = { path: "/dev/nvidia0", vendor: "nvidia", accessible: true } as const;
  const radeon = { path: "/dev/dri/renderD128", vendor: "amd", accessible: true } as const;
  const cures = (facts: Partial<VulkanFacts>): string[] => adviseVulkan({ ...bare, ...facts }).map(({ cure }) => cure);

  test.each<[string, Partial<VulkanFacts>, RegExp]>([
    ["nothing installed, Debian 12", {}, /^apt-get install -t bookworm-backports mesa-vulkan-drivers libvulkan1$/],
    ["nothing installed, Fedora", { distribution: "fedora" }, /^dnf install mesa-vulkan-drivers vulkan-loader$/],
    ["nothing installed, unknown", { distribution: "" }, /^install a Vulkan driver/],
    [
      "a driver dawn refuses",
      { manifests: [lavapipe], messages: ["Vulkan shaderUniform*ArrayDynamicIndexing required."] },
      /bookworm-backports/,
    ],
    [
      "NVIDIA without its manifest",
      { gpus: [nvidia], manifests: [lavapipe], hasSystemAdapter: true },
      /nvidia_icd\.json/,
    ],
    ["a GPU without its driver", { gpus: [radeon], distribution: "ubuntu" }, /^apt-get install mesa-vulkan-drivers/],
    ["a GPU without permission", { gpus: [{ ...radeon, accessible: false }] }, /usermod -aG render/],
    ["no GPU, though one was asked for", { wantsHardware: true, hasSystemAdapter: true }, /--gpus all/],
  ])("%s", (_, facts, cure) => {
    expect(cures(facts)).toEqual([expect.stringMatching(cure)]);
  });

  test("a machine that has all it needs gets none", () => {
    const manifests = [{ path: "/etc/vulkan/icd.d/nvidia_icd.json", library: "libGLX_nvidia.so.0", apiVersion: "1.4" }];
    expect(cures({ gpus: [nvidia], manifests, hasHardwareAdapter: true, hasSystemAdapter: true })).toEqual([]);
    expect(cures({ manifests: [lavapipe], hasSystemAdapter: true })).toEqual([]);
  });
});
