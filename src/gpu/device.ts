/**
 * What a device is, wherever it comes from: asking an adapter for its real limits and optional features, describing it,
 * making its asynchronous faults observable, and opening one in a browser. Node's way is in open_device.node.ts.
 */
import { AdapterError, DeviceLostError, OutOfMemoryError } from "../errors.js";

/** The limits compute work meets; a device is given the adapter's own maximum of each. */
const REQUESTED_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxUniformBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
] as const;

/** Features that are used when present and never required. */
export const OPTIONAL_FEATURES = ["shader-f16", "subgroups", "timestamp-query"] as const;

/** Chromium's experiment, taken on request alone: dawn has it behind the toggle allow_unsafe_apis. */
const MATRIX_FEATURE = "chromium-experimental-subgroup-matrix";

/** A product that matrix units do, as drivers list it; WebGPU's types do not know it yet. */
export interface MatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

type MatrixInfo = GPUAdapterInfo & { readonly subgroupMatrixConfigs?: Iterable<MatrixConfig> };

/** What adapters said of their matrix units: in Node dawn says it there alone, and leaves a device's `adapterInfo` empty. */
const matrixConfigs = new WeakMap<GPUDevice, readonly MatrixConfig[]>();

const listed = (info: MatrixInfo | undefined): MatrixConfig[] =>
  [...(info?.subgroupMatrixConfigs ?? [])].map(({ componentType, resultComponentType, M, N, K }) => ({
    componentType,
    resultComponentType,
    M,
    N,
    K,
  }));

/** The products that a device's matrix units do; none where it was opened without them. */
export function matrixConfigsOf(device: GPUDevice): readonly MatrixConfig[] {
  const own = listed(device.adapterInfo);
  return own.length > 0 ? own : (matrixConfigs.get(device) ?? []);
}

export type LimitName = (typeof REQUESTED_LIMITS)[number];
export type OptionalFeature = (typeof OPTIONAL_FEATURES)[number];

/** JSON-able facts about an adapter, or about the device opened on it. */
export interface AdapterDescription {
  /** The most telling name there is, for people. */
  name: string;
  /** Lower-case identifiers as WebGPU normalises them; empty when withheld. */
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  /** A CPU implementation (SwiftShader, llvmpipe, WARP). */
  isSoftware: boolean;
  /** Every feature, sorted. */
  features: string[];
  limits: Record<LimitName, number>;
  /** Threads in a subgroup, at least and at most; 0 when unknown. */
  subgroupMinSize: number;
  subgroupMaxSize: number;
}

export interface DeviceRequest {
  /** "adapter" (default): the adapter's maxima. "default": WebGPU's guaranteed minima, which every device has. */
  limits?: "adapter" | "default";
  /** Optional features to take when present; all of OPTIONAL_FEATURES unless given. */
  features?: readonly OptionalFeature[];
  /** Also takes the experimental feature of matrix units, where the adapter has it. Default false. */
  matrixUnits?: boolean | undefined;
  label?: string;
}

export interface OpenedDevice {
  readonly device: GPUDevice;
  readonly description: AdapterDescription;
  /** Where the adapter came from: "browser", "system" or "bundled". */
  readonly choice: string;
  /** Waits for submitted work, then destroys the device. Safe to call twice, or after the device was lost. */
  close(): Promise<void>;
}

/** @throws AdapterError when the adapter gives no device */
export async function requestDevice(adapter: GPUAdapter, request: DeviceRequest = {}): Promise<GPUDevice> {
  const wanted: readonly string[] = [
    ...(request.features ?? OPTIONAL_FEATURES),
    ...(request.matrixUnits ? [MATRIX_FEATURE] : []),
  ];
  const features = wanted.filter((feature) => adapter.features.has(feature)) as GPUFeatureName[];
  const requiredLimits = request.limits === "default" ? {} : limitsOf(adapter.limits);
  try {
    const device = await adapter.requestDevice({
      label: request.label ?? "s2am",
      requiredFeatures: features,
      requiredLimits,
    });
    matrixConfigs.set(device, listed(adapter.info));
    return device;
  } catch (cause) {
    const name = describeAdapter(adapter).name;
    throw new AdapterError(`adapter "${name}" gave no device: ${messageOf(cause)}: choose another adapter`, { cause });
  }
}

/** Works on an adapter, and on a device that someone else opened. `name` overrides the derived one. */
export function describeAdapter(source: GPUAdapter | GPUDevice, name?: string): AdapterDescription {
  const info: Partial<GPUAdapterInfo> = ("info" in source ? source.info : source.adapterInfo) ?? {};
  const text = (value: string | undefined): string => value ?? "";
  const identity = [info.vendor, info.architecture].filter(Boolean).join(" ");
  const fullName = name || info.description || info.device || identity || "unnamed adapter";
  return {
    name: fullName,
    vendor: text(info.vendor),
    architecture: text(info.architecture),
    device: text(info.device),
    description: text(info.description),
    isSoftware: poses(info, fullName),
    features: [...source.features].sort(),
    limits: limitsOf(source.limits),
    subgroupMinSize: info.subgroupMinSize ?? 0,
    subgroupMaxSize: info.subgroupMaxSize ?? 0,
  };
}

const SOFTWARE_NAMES = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|software|\bwarp\b/i;

/** Whether what an adapter tells of itself is that it is a CPU which poses as a GPU. @param name it is called by besides */
function poses(info: Partial<GPUAdapterInfo>, name = ""): boolean {
  const { isFallbackAdapter, vendor, architecture, device, description } = info;
  return isFallbackAdapter === true || SOFTWARE_NAMES.test([name, vendor, architecture, device, description].join(" "));
}

/** Whether a device is a CPU that poses as a GPU, as far as it tells. */
export const isSoftwareDevice = ({ adapterInfo }: GPUDevice): boolean => poses(adapterInfo ?? {});

function limitsOf(limits: GPUSupportedLimits): Record<LimitName, number> {
  return Object.fromEntries(REQUESTED_LIMITS.map((name) => [name, limits[name]])) as Record<LimitName, number>;
}

/** "llvmpipe (LLVM 15.0.6, 256 bits), software, system" */
export function adapterLine(description: AdapterDescription, choice: string): string {
  return `${description.name}, ${description.isSoftware ? "software" : "hardware"}, ${choice}`;
}

export interface DeviceWatch {
  /** Resolves (never rejects) when the device is gone, also by `destroy()`. */
  readonly lost: Promise<DeviceLostError>;
  /** Errors that no error scope caught, in order. Any entry is a fault of this project, or exhausted memory. */
  readonly errors: Error[];
  /** Stops collecting errors. */
  stop(): void;
}

export function watchDevice(device: GPUDevice): DeviceWatch {
  const errors: Error[] = [];
  const onError = (event: GPUUncapturedErrorEvent): void => {
    event.preventDefault();
    errors.push(asError(event.error));
  };
  device.addEventListener("uncapturederror", onError);
  return {
    lost: device.lost.then(
      ({ reason, message }) =>
        new DeviceLostError(`the GPU device was lost (${reason || "unknown reason"}: ${message}): open a new one`),
    ),
    errors,
    stop: () => device.removeEventListener("uncapturederror", onError),
  };
}

/** The error classes are globals in a browser only, so the class is told by its name. */
function asError(error: GPUError): Error {
  const kind = error.constructor.name;
  if (kind !== "GPUOutOfMemoryError") return new Error(`${kind}: ${error.message}`);
  return new OutOfMemoryError(`the device is out of memory (${error.message}): use a smaller image or batch`);
}

/**
 * Opens the browser's adapter.
 * @throws AdapterError where there is none, naming the cure
 */
export async function openDevice(
  options: DeviceRequest & { gpu?: GPU; powerPreference?: GPUPowerPreference } = {},
): Promise<OpenedDevice> {
  const gpu = options.gpu ?? browserGpu();
  const adapter = await gpu.requestAdapter({ powerPreference: options.powerPreference ?? "high-performance" });
  if (!adapter) {
    throw new AdapterError(
      "this browser offers no WebGPU adapter: turn on hardware acceleration in its settings and look at chrome://gpu " +
        "(Chrome on Linux may need --enable-unsafe-webgpu --enable-features=Vulkan; without a GPU, " +
        "--use-webgpu-adapter=swiftshader)",
    );
  }
  const device = await requestDevice(adapter, options);
  return { device, description: describeAdapter(adapter), choice: "browser", close: () => closeDevice(device) };
}

function browserGpu(): GPU {
  const { navigator, isSecureContext } = globalThis as { navigator?: Partial<Navigator>; isSecureContext?: boolean };
  if (navigator?.gpu) return navigator.gpu;
  if (isSecureContext === false) {
    throw new AdapterError("WebGPU needs a secure context: serve the page over https, or from localhost");
  }
  throw new AdapterError(
    "there is no WebGPU here (navigator.gpu is missing): use Chrome or Edge 113+, Safari 26+ or Firefox 141+ " +
      '(in Node: import openDevice from "s2am-webgpu/node")',
  );
}

/**
 * Destroying a device stalls the thread until its work is done (dawn), so the work is awaited first and signals stay
 * served meanwhile.
 */
export async function closeDevice(device: GPUDevice): Promise<void> {
  await Promise.race([device.queue.onSubmittedWorkDone(), device.lost]).catch(() => undefined);
  device.destroy();
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
