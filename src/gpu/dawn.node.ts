/**
 * Dawn in Node, seen as two sources of adapters: the system's drivers, and the bundled SwiftShader. Both live in one
 * process: a Vulkan loader reads its environment each time an instance is made, so each source's requests run in their
 * own environment, and asking one spoils nothing for the other.
 */
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { AdapterError } from "../errors.js";
import { callNative, loadLibrary } from "./libc.node.js";
import { bundledVulkan } from "./software_adapter.node.js";

export type AdapterSource = "system" | "bundled";

export interface AdapterAnswer {
  adapter: GPUAdapter | null;
  /** What dawn and the driver said on stderr, without the harmless. */
  messages: string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Dawn crashes the process when a GPU object is collected while its work is under way. Everything here is kept by
 * something that is itself sure to stay: a listener on the process. (A variable of a module is not: one that no living
 * function mentions is collected as soon as the module has run.)
 */
const kept = new Set<object>();
let anchored = false;

/** Keeps an object until the returned function is called, or the process ends. */
export function keep(object: object): () => void {
  if (!anchored) process.once("exit", () => kept.clear());
  anchored = true;
  kept.add(object);
  return () => kept.delete(object);
}

/** One GPU object for each set of flags and environment; dawn looks for drivers, and complains of them, once in each. */
const gpus = new Map<string, { gpu: GPU; messages: string[] }>();

async function loadDawn(): Promise<typeof import("webgpu")> {
  try {
    return await import("webgpu");
  } catch (cause) {
    throw new AdapterError(
      `the webgpu package does not load on ${process.platform} ${process.arch} (${messageOf(cause)}): ` +
        "it has builds for Linux (glibc), macOS and Windows; run npm install again",
      { cause },
    );
  }
}

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";

/**
 * @param flags dawn.node's own ("adapter=NAME", "enable-dawn-features=...")
 * @throws AdapterError when dawn, or the bundled driver, cannot be loaded
 */
export async function requestAdapter(
  source: AdapterSource,
  flags: readonly string[],
  options: GPURequestAdapterOptions = {},
): Promise<AdapterAnswer> {
  const environment = source === "bundled" ? bundledEnvironment() : systemEnvironment();
  const { create } = await loadDawn();
  const vulkanVariables = Object.entries({ ...process.env, ...environment }).filter(([name]) => name.startsWith("VK_"));
  const key = JSON.stringify([vulkanVariables, flags]);
  const { value, lines } = callNative(environment, () => {
    const entry = gpus.get(key) ?? { gpu: create([...flags]), messages: [] };
    gpus.set(key, entry);
    keep(entry.gpu);
    return { entry, request: entry.gpu.requestAdapter(options) };
  });
  const { entry, request } = value;
  entry.messages.push(
    ...lines.filter((line) => !NOISE.test(line)).map((line) => line.replace(/^Warning: /, "").trim()),
  );
  return { adapter: await request, messages: [...new Set(entry.messages)] };
}

/** Dawn's remark on a limit that this project does not use, and the trail of its own calls and source files. */
const NOISE = /artificially reduced|^\s+(at|- While) /;

/** The names of a source's adapters, as dawn gives them; it lists them when asked for one that cannot be. */
export async function listAdapters(source: AdapterSource): Promise<string[]> {
  try {
    await requestAdapter(source, ["adapter=\u0001"]);
    return [];
  } catch (error) {
    if (error instanceof AdapterError || !(error instanceof Error)) throw error;
    return [...error.message.matchAll(/ \* backend: '[^']*', name: '(.*)'$/gm)].map((match) => match[1] ?? "");
  }
}

function bundledEnvironment(): Environment {
  const { loader, manifest } = bundledVulkan();
  try {
    loadLibrary(loader);
  } catch (cause) {
    throw new AdapterError(
      `${loader} does not load (${messageOf(cause)}): if its file system is mounted noexec, set XDG_CACHE_HOME to ` +
        "another folder; if packages were installed without optional ones, install them too (koffi's binary is one); " +
        "if this is not a glibc system, install a Vulkan driver and choose auto",
      { cause },
    );
  }
  return {
    VK_DRIVER_FILES: manifest,
    VK_ICD_FILENAMES: manifest, // the same, for loaders before 1.3.207
    VK_ADD_DRIVER_FILES: undefined,
    VK_LOADER_DRIVERS_SELECT: undefined,
    VK_LOADER_DRIVERS_DISABLE: undefined,
    VK_INSTANCE_LAYERS: undefined,
    VK_LOADER_LAYERS_ENABLE: undefined,
    VK_LOADER_LAYERS_DISABLE: "~all~",
  };
}

/** The user's own variables stand; without them, drivers in known places off the loader's path are added. */
function systemEnvironment(): Environment {
  if (process.platform !== "linux") return {};
  provideLoader();
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES, VK_ADD_DRIVER_FILES } = process.env;
  if (VK_DRIVER_FILES || VK_ICD_FILENAMES) return {};
  const extra = strayManifests();
  if (extra.length === 0) return {};
  return { VK_ADD_DRIVER_FILES: [VK_ADD_DRIVER_FILES, ...extra].filter(Boolean).join(delimiter) };
}

/** A container often has the GPU's driver and no Vulkan loader; the bundled loader serves it as well. */
function provideLoader(): void {
  try {
    loadLibrary("libvulkan.so.1");
  } catch {
    try {
      loadLibrary(bundledVulkan().loader);
    } catch {
      // Dawn will find no loader either, and says so.
    }
  }
}

/** Where container runtimes and distributions put driver manifests that a Vulkan loader does not look for. */
export const STRAY_MANIFEST_FOLDERS = [
  "/usr/local/nvidia/share/vulkan/icd.d",
  "/run/opengl-driver/share/vulkan/icd.d",
  "/opt/amdgpu/share/vulkan/icd.d",
];

export function strayManifests(): string[] {
  return STRAY_MANIFEST_FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith(".json"))
      .map((file) => join(folder, file)),
  );
}
