/** The library for Node: everything of the browser's, and the ways to open a device, read weights and pictures from files. */
import { Harmonizer, type LoadOptions, type WeightsInput } from "./harmonizer.js";
import { type OpenDeviceOptions, openDevice } from "./gpu/open_device.node.js";
import type { OpenedDevice } from "./gpu/device.js";
import { fileSource } from "./io/file_source.node.js";

export * from "./index.js";
export { openDevice, type OpenDeviceOptions, type AdapterChoice } from "./gpu/open_device.node.js";
export { decodeImage, encodeImage, type DecodeOptions, type EncodeOptions } from "./image/codec.node.js";
export { fileSource, type FileSource } from "./io/file_source.node.js";
export { DEFAULT_WEIGHTS, packageFile } from "./package.node.js";

export interface OpenHarmonizerOptions extends LoadOptions {
  /** How to open a device where none is given. */
  readonly open?: OpenDeviceOptions;
}

/**
 * `Harmonizer.load` for Node: weights from a path too, and a device opened through dawn where none is given.
 * @returns the harmonizer, and `close()`, which frees both so that the process can end
 */
export async function openHarmonizer(
  weights: WeightsInput,
  options: OpenHarmonizerOptions = {},
): Promise<{ harmonizer: Harmonizer; close: () => Promise<void> }> {
  const path = typeof weights === "string" && !/^https?:/.test(weights) ? weights : null;
  const file = path === null ? null : await fileSource(path);
  let opened: OpenedDevice | null = null;
  try {
    opened = options.device ? null : await openDevice(options.open);
    const device = options.device ?? opened?.device;
    const harmonizer = await Harmonizer.load(file ?? weights, {
      ...options,
      ...(device && { device }),
      ...(opened && { software: opened.description.isSoftware }),
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
