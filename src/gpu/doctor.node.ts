/** `s2am doctor`: what this machine offers, which adapter would be used and why, whether it computes right, and cures. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, release, totalmem } from "node:os";
import { S2amError } from "../errors.js";
import { requestAdapter } from "./dawn.node.js";
import { type AdapterDescription, describeAdapter, type OpenedDevice } from "./device.js";
import { checkDevice, type DeviceCheck } from "./device_checks.js";
import { type AdapterChoice, bundledAdapter, openDevice, systemAdapters } from "./open_device.node.js";
import {
  adviseVulkan,
  type DriverManifest,
  type Finding,
  type GpuNode,
  gatherVulkanFacts,
} from "./vulkan_drivers.node.js";

export interface DoctorReport {
  /** An adapter was opened and no check failed. */
  ok: boolean;
  platform: {
    system: string;
    release: string;
    arch: string;
    cores: number;
    memoryBytes: number;
    node: string;
    webgpu: string;
  };
  /** What was asked for: the option, S2AM_ADAPTER, or auto. */
  asked: string;
  /** The adapter in use, and where it came from ("system", "bundled", or "given" by the caller); null without one. */
  adapter: (AdapterDescription & { choice: string }) | null;
  /** Why there is none. */
  error: string | null;
  /** The limits and features of the opened device, which may be fewer than the adapter's. */
  device: { features: string[]; maxBufferBytes: number; maxStorageBindingBytes: number } | null;
  /** Every adapter that could be had here. */
  adapters: { name: string; source: string; isSoftware: boolean; description: string }[];
  /** What dawn and the drivers said of those that were refused. */
  messages: string[];
  /** Linux: the Vulkan driver manifests and GPUs that were found. */
  drivers: DriverManifest[];
  gpus: GpuNode[];
  checks: DeviceCheck[];
  findings: Finding[];
}

export interface DiagnoseOptions {
  adapter?: AdapterChoice | undefined;
  /** Examines this device instead of opening one. It stays open. */
  device?: GPUDevice;
  /** Checks beside those of this file, for parts that it does not know. */
  furtherChecks?: (device: GPUDevice) => Promise<readonly DeviceCheck[]>;
}

/** Does not throw for a missing adapter: that is a report with `adapter: null`, an error and findings. */
export async function diagnose(options: DiagnoseOptions = {}): Promise<DoctorReport> {
  const asked = options.device ? "given" : options.adapter || process.env.S2AM_ADAPTER || "auto";
  const { adapters, messages } = await surveyAdapters();
  const { opened, error } = options.device ? { opened: given(options.device), error: null } : await tryOpen(asked);
  try {
    const further = options.furtherChecks ?? (async () => []);
    const checks = opened ? [...(await checkDevice(opened.device)), ...(await further(opened.device))] : [];
    const system = adapters.filter(({ source }) => source === "system");
    const facts = gatherVulkanFacts({
      wantsHardware: asked === "gpu",
      messages,
      hasSystemAdapter: system.length > 0,
      hasHardwareAdapter: system.some(({ isSoftware }) => !isSoftware),
    });
    const onLinux = process.platform === "linux";
    return {
      ok: opened !== null && checks.every(({ outcome }) => outcome !== "failed"),
      platform: describePlatform(),
      asked,
      adapter: opened && { ...opened.description, choice: opened.choice },
      error,
      device: opened && describeDevice(opened.device),
      adapters,
      messages,
      drivers: onLinux ? facts.manifests : [],
      gpus: onLinux ? facts.gpus : [],
      checks,
      findings: onLinux ? adviseVulkan(facts) : [],
    };
  } finally {
    await opened?.close();
  }
}

async function tryOpen(adapter: AdapterChoice): Promise<{ opened: OpenedDevice | null; error: string | null }> {
  try {
    return {
      opened: await openDevice({ adapter, timestamps: "exact", matrixUnits: true, log: () => undefined }),
      error: null,
    };
  } catch (error) {
    if (!(error instanceof S2amError)) throw error;
    return { opened: null, error: error.message };
  }
}

function given(device: GPUDevice): OpenedDevice {
  return { device, description: describeAdapter(device), choice: "given", close: async () => undefined };
}

async function surveyAdapters(): Promise<Pick<DoctorReport, "adapters" | "messages">> {
  const adapters: DoctorReport["adapters"] = [];
  const messages: string[] = [];
  const add = (source: string, { name, isSoftware, description }: AdapterDescription): void => {
    adapters.push({ name, source, isSoftware, description });
  };
  const note = (error: unknown): void => {
    messages.push(error instanceof Error ? error.message : String(error));
  };
  try {
    messages.push(...(await requestAdapter("system", [])).messages);
    for await (const { source, description } of systemAdapters()) add(source, description);
  } catch (error) {
    note(error);
  }
  try {
    add("bundled", (await bundledAdapter()).description);
  } catch (error) {
    note(error);
  }
  return { adapters, messages };
}

function describePlatform(): DoctorReport["platform"] {
  return {
    system: process.platform,
    release: release(),
    arch: process.arch,
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.version,
    webgpu: packageVersion("webgpu"),
  };
}

function packageVersion(name: string): string {
  try {
    const path = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
  } catch {
    return "not installed";
  }
}

function describeDevice({ features, limits }: GPUDevice): NonNullable<DoctorReport["device"]> {
  return {
    features: [...features].sort(),
    maxBufferBytes: limits.maxBufferSize,
    maxStorageBindingBytes: limits.maxStorageBufferBindingSize,
  };
}

/** The report for people, a few lines. */
export function formatReport(report: DoctorReport): string {
  const { platform, adapter, device } = report;
  const lines = [
    `platform  ${platform.system} ${platform.release} ${platform.arch}, ${platform.cores} cores, ${gibibytes(platform.memoryBytes)}; Node ${platform.node}, webgpu ${platform.webgpu}`,
  ];
  if (adapter && device) {
    const subgroup = adapter.subgroupMaxSize > 0 ? `, subgroups of ${subgroupSizes(adapter)}` : "";
    lines.push(
      `adapter   ${adapter.name}, ${adapter.isSoftware ? "software" : "hardware"}, ${adapter.choice} (asked: ${report.asked})`,
      `driver    ${adapter.description || "not told"}`,
      `features  ${device.features.join(", ")}${subgroup}`,
      `limits    buffers to ${mebibytes(device.maxBufferBytes)}, bindings to ${mebibytes(device.maxStorageBindingBytes)}, ` +
        `${adapter.limits.maxComputeInvocationsPerWorkgroup} threads and ${adapter.limits.maxComputeWorkgroupStorageSize / 1024} KiB a workgroup, ` +
        `${adapter.limits.maxStorageBuffersPerShaderStage} storage buffers a shader`,
    );
  } else {
    lines.push(`adapter   none (asked: ${report.asked}): ${report.error ?? "unknown"}`);
  }
  for (const { name, source, isSoftware } of report.adapters) {
    lines.push(`found     ${name}, ${isSoftware ? "software" : "hardware"}, ${source}`);
  }
  for (const message of report.messages) lines.push(`refused   ${message}`);
  for (const { name, outcome, detail } of report.checks) lines.push(`${outcome.padEnd(10)}${name}: ${detail}`);
  for (const { problem, cure } of report.findings) lines.push(`missing   ${problem}`, `  cure    ${cure}`);
  return lines.join("\n");
}

const subgroupSizes = ({ subgroupMinSize: least, subgroupMaxSize: most }: AdapterDescription): string =>
  least === most ? `${most}` : `${least} to ${most}`;
const mebibytes = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)} MiB`;
const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(0)} GiB`;
