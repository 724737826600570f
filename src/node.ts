/** The library for Node: everything of the browser's, and the ways to open a device, read weights and pictures from files. */
/// <reference lib="dom" preserve="true" />
import { fileURLToPath } from "node:url";
import type { OpenedDevice } from "./gpu/device.js";
import { availableMemory } from "./gpu/host_memory.node.js";
import {
  type HarmonizeInput,
  type HarmonizeOptions,
  Harmonizer,
  type LoadOptions,
  type WeightsInput,
} from "./harmonizer.js";
import type { Image, ImageDataLike } from "./image/image.js";
import { checkDigestFile } from "./io/digest_file.node.js";
import { fileSource } from "./io/file_source.node.js";
import { type OpenTunedOptions, openTunedDevice } from "./tuning/user_tables.node.js";

export type { AdapterChoice } from "./gpu/open_device.node.js";
export { type DecodeOptions, decodeImage, type EncodeOptions, encodeImage } from "./image/codec.node.js";
export * from "./index.js";
export { type FileSource, fileSource } from "./io/file_source.node.js";
export { DEFAULT_WEIGHTS, packageFile } from "./package.node.js";
export {
  type OpenTunedOptions as OpenDeviceOptions,
  openTunedDevice as openDevice,
} from "./tuning/user_tables.node.js";

export interface OpenHarmonizerOptions extends LoadOptions {
  /** How to open a device where none is given. */
  readonly open?: OpenTunedOptions;
}

/**
 * `Harmonizer.load` for Node: weights from a path or a file: address too, and a device opened through dawn where none is given.
 * @returns the harmonizer, and `close()`, which frees both so that the process can end
 */
export async function openHarmonizer(
  weights: WeightsInput,
  options: OpenHarmonizerOptions = {},
): Promise<{ harmonizer: Harmonizer; close: () => Promise<void> }> {
  const path = pathOf(weights);
  const file = path === null ? null : await fileSource(path);
  let opened: OpenedDevice | null = null;
  try {
    if (file && path !== null) await checkDigestFile(file, path);
    opened = options.device ? null : await openTunedDevice(options.open);
    // A software adapter has the machine's memory, which is taken until the system ends the process.
    const software = opened?.description.isSoftware ?? false;
    const harmonizer = await Harmonizer.load(file ?? weights, {
      ...(software && { software, memoryLimit: availableMemory() }),
      ...options,
      ...(opened && { device: opened.device }),
      name: options.name ?? path ?? "weights",
    });
    const close = async (): Promise<void> => {
      await harmonizer.dispose();
      await opened?.close();
    };
    return { harmonizer, close };
  } catch (error) {
    await opened?.close();
    throw error;
  } finally {
    await file?.close();
  }
}

/** The file that is meant, where one is: a path, or a file: address. */
function pathOf(weights: WeightsInput): string | null {
  if (weights instanceof URL) return weights.protocol === "file:" ? fileURLToPath(weights) : null;
  return typeof weights === "string" && !/^https?:/.test(weights) ? weights : null;
}

/** `openHarmonizer`, one `harmonize`, `close`, in one call. */
export async function harmonize<Picture extends Image | ImageDataLike>(
  weights: WeightsInput,
  input: HarmonizeInput<Picture>,
  options: OpenHarmonizerOptions & Omit<HarmonizeOptions, "onProgress"> = {},
): Promise<Picture> {
  const { harmonizer, close } = await openHarmonizer(weights, options);
  try {
    const { onProgress: _, ...rest } = options;
    return (await harmonizer.harmonize(input, rest)).image;
  } finally {
    await close();
  }
}
