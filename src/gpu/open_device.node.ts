/** Opens a WebGPU device in Node: picks an adapter, says which, and gives the device its real limits. */
import { AdapterError } from "../errors.js";
import { type AdapterSource, keep, listAdapters, requestAdapter } from "./dawn.node.js";
import {
  type AdapterDescription,
  adapterLine,
  closeDevice,
  type DeviceRequest,
  describeAdapter,
  type OpenedDevice,
  requestDevice,
} from "./device.js";

/**
 * auto: a hardware adapter, else the system's software adapter, else the bundled one. gpu: hardware only. software: the
 * system's software adapter, else the bundled one. Anything else: part of an adapter's name, in any case.
 */
export type AdapterChoice = "auto" | "gpu" | "software" | "bundled" | (string & {});

export interface OpenDeviceOptions extends DeviceRequest {
  /** Wins over the variable S2AM_ADAPTER; without either, "auto". */
  adapter?: AdapterChoice | undefined;
  /** Told which adapter was chosen, and why if not the first choice; writes to stderr unless given. */
  log?: (line: string) => void;
  /** "exact": GPU timestamps are not rounded (browsers, and dawn, round them to 65.5 microseconds). */
  timestamps?: "rounded" | "exact";
  /**
   * Leaves out dawn's validation, bounds checks and clearing of new buffers: only with weights and code that are trusted,
   * for a fault then reads or writes other memory instead of being an error.
   */
  unsafeFast?: boolean;
  /** Further dawn toggles, by their names in dawn's Toggles.cpp; unknown ones are ignored. */
  dawnFeatures?: { enable?: readonly string[]; disable?: readonly string[] };
}

export interface Candidate {
  source: AdapterSource;
  adapter: GPUAdapter;
  description: AdapterDescription;
}

/** @throws AdapterError when there is no such adapter, naming those there are and the cure */
export async function openDevice(options: OpenDeviceOptions = {}): Promise<OpenedDevice> {
  const choice = options.adapter || process.env.S2AM_ADAPTER || "auto";
  const log = options.log ?? ((line: string) => process.stderr.write(`${line}\n`));
  const chosen = await chooseAdapter(choice, dawnFlags(options));
  const device = await requestDevice(chosen.adapter, options);
  const release = keep(device);
  const reason = chosen.passedOver.length > 0 ? ` (no system adapter: ${chosen.passedOver[0]})` : "";
  log(`adapter: ${adapterLine(chosen.description, chosen.source)}${reason}`);
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await closeDevice(device);
    release();
  };
  return {
    device,
    description: chosen.description,
    choice: chosen.source,
    close: () => (closing ??= close()),
  };
}

/** What `unsafeFast` sets, by the names in dawn's Toggles.cpp. */
export const UNSAFE_FAST = {
  enable: ["skip_validation", "disable_robustness"],
  disable: ["lazy_clear_resource_on_first_use", "timestamp_quantization"],
} as const;

function dawnFlags({ timestamps, unsafeFast, matrixUnits, dawnFeatures }: OpenDeviceOptions): string[] {
  // Dawn hides f16 on NVIDIA's Vulkan driver for conformance corner cases of denormals.
  const enable = ["vulkan_enable_f16_on_nvidia", ...(dawnFeatures?.enable ?? [])];
  const disable = [...(dawnFeatures?.disable ?? [])];
  if (timestamps === "exact") disable.push("timestamp_quantization");
  if (matrixUnits) enable.push("allow_unsafe_apis");
  if (unsafeFast) {
    enable.push(...UNSAFE_FAST.enable);
    disable.push(...UNSAFE_FAST.disable.filter((toggle) => !disable.includes(toggle)));
  }
  const flags = [`enable-dawn-features=${enable.join(",")}`];
  if (disable.length > 0) flags.push(`disable-dawn-features=${disable.join(",")}`);
  return flags;
}

async function chooseAdapter(
  choice: AdapterChoice,
  flags: readonly string[],
): Promise<Candidate & { passedOver: string[] }> {
  if (choice === "bundled") return { ...(await bundledAdapter(flags)), passedOver: [] };
  if (choice !== "auto" && choice !== "gpu" && choice !== "software") {
    return { ...(await namedAdapter(choice, flags)), passedOver: [] };
  }
  const { best, messages } = await bestSystemAdapter(flags);
  const isSoftware = (description: AdapterDescription): boolean => description.isSoftware;
  if (choice === "gpu" && (!best || isSoftware(best.description))) {
    throw new AdapterError(
      `no hardware adapter: ${best ? `only ${best.description.name}, in software` : messages.join("; ")}: ` +
        "install the GPU's Vulkan driver (s2am doctor says what is missing), or choose auto",
    );
  }
  const system =
    choice === "software" && best && !isSoftware(best.description) ? await findAdapter(flags, isSoftware) : best;
  if (system) return { ...system, passedOver: [] };
  const passedOver = best ? ["none is software"] : messages;
  return { ...(await bundledAdapter(flags, passedOver)), passedOver };
}

/** Dawn puts discrete GPUs before integrated ones, and those before software. */
async function bestSystemAdapter(flags: readonly string[]): Promise<{ best: Candidate | null; messages: string[] }> {
  const { adapter, messages } = await requestAdapter("system", flags, { powerPreference: "high-performance" });
  if (!adapter) return { best: null, messages: messages.length > 0 ? messages : ["no driver was found"] };
  return { best: await candidate("system", adapter), messages };
}

/** The description's name is the driver's own, which WebGPU shows in its normalised form alone. */
async function candidate(source: AdapterSource, adapter: GPUAdapter): Promise<Candidate> {
  const normalise = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const names = await listAdapters(source);
  const name = names.find((one) => normalise(one) === adapter.info?.device);
  return { source, adapter, description: describeAdapter(adapter, name) };
}

/** All of the system's adapters, in dawn's order. */
export async function* systemAdapters(flags: readonly string[] = []): AsyncGenerator<Candidate> {
  for (const name of await listAdapters("system")) {
    const { adapter } = await requestAdapter("system", [...flags, `adapter=${name}`]);
    if (adapter) yield { source: "system", adapter, description: describeAdapter(adapter, name) };
  }
}

async function findAdapter(
  flags: readonly string[],
  fits: (description: AdapterDescription) => boolean,
): Promise<Candidate | null> {
  for await (const candidate of systemAdapters(flags)) if (fits(candidate.description)) return candidate;
  return null;
}

export async function bundledAdapter(
  flags: readonly string[] = [],
  systemMessages: readonly string[] = [],
): Promise<Candidate> {
  const { adapter, messages } = await requestAdapter("bundled", flags);
  if (adapter) return candidate("bundled", adapter);
  throw new AdapterError(
    `the bundled software adapter did not start: ${messages.join("; ")}` +
      (systemMessages.length > 0 ? `; nor is there one of the system: ${systemMessages.join("; ")}` : "") +
      ": s2am doctor says what is missing",
  );
}

async function namedAdapter(wanted: string, flags: readonly string[]): Promise<Candidate> {
  const fits = ({ name, vendor, device, description }: AdapterDescription): boolean =>
    [name, vendor, device, description].some((text) => text.toLowerCase().includes(wanted.toLowerCase()));
  const system = await findAdapter(flags, fits);
  if (system) return system;
  const bundled = await bundledAdapter(flags).catch(() => null);
  if (bundled && fits(bundled.description)) return bundled;
  const names = [...(await listAdapters("system")), ...(bundled ? [`${bundled.description.name} (bundled)`] : [])];
  throw new AdapterError(
    `no adapter is named "${wanted}"; there ${names.length > 0 ? `are: ${names.join(", ")}` : "are none"}: ` +
      "give a part of one of these names, or auto, gpu, software, bundled",
  );
}
