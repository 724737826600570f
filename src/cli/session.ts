/** A device, and a harmonizer on it, for the length of one command. */

import type { OpenedDevice } from "../gpu/device.js";
import { availableMemory } from "../gpu/host_memory.node.js";
import type { OpenDeviceOptions } from "../gpu/open_device.node.js";
import type { MatrixUnits } from "../graph/op.js";
import type { DType } from "../graph/tensor.js";
import { Harmonizer } from "../harmonizer.js";
import { requireMatrixUnits } from "../kernels/matrix_units.js";
import type { ModelOptions } from "../model/weights.js";
import { openTunedDevice } from "../tuning/user_tables.node.js";
import type { CommandContext, CommonOptions } from "./app.js";
import { type KernelKind, withWeights } from "./model_options.js";
import { progressBar, type StageProgress } from "./progress.js";

export interface DeviceOptions extends CommonOptions, CommandContext {
  readonly adapter?: string | undefined;
  /** A table to choose kernels by, or false for none. */
  readonly tuning?: string | boolean | undefined;
  readonly unsafeFast?: boolean | undefined;
  /** Missing means the adapter's own. */
  readonly kernelsFor?: KernelKind | undefined;
  readonly timestamps?: OpenDeviceOptions["timestamps"];
  /** Opens the device with its matrix units, and fails where it has none. */
  readonly matrixUnits?: boolean;
}

/** An adapter's device, and the kernels to take on it. */
export interface Guarded extends OpenedDevice {
  /** Whether those for CPUs that pose as GPUs; by default where the adapter is one. */
  readonly software: boolean;
}

export interface Session extends Guarded {
  readonly onProgress: (progress: StageProgress) => void;
  /** Clears the progress bar, where something else is to be shown. */
  readonly stopProgress: () => void;
  /** A line on stderr, over the progress bar. */
  readonly print: (line: string) => void;
  /** What a network on this device may take. A GPU knows its own bounds; a software adapter has the machine's. */
  readonly memoryLimit: number;
  /** With the option of that name. */
  readonly matrixUnits: MatrixUnits | undefined;
}

/** Opens the device, hands it to `use` with a progress bar, and closes it whatever happens. */
export async function withDevice<T>(options: DeviceOptions, use: (session: Session) => Promise<T>): Promise<T> {
  const opened = await openGuarded(options);
  const bar = progressBar(options.json);
  const memoryLimit = opened.description.isSoftware ? availableMemory() : Number.POSITIVE_INFINITY;
  try {
    const matrixUnits = options.matrixUnits ? await requireMatrixUnits(opened.device) : undefined;
    const print = (line: string): void => {
      bar.stop();
      options.note(line);
    };
    const { onProgress, stop: stopProgress } = bar;
    return await use({ ...opened, onProgress, stopProgress, print, memoryLimit, matrixUnits });
  } finally {
    bar.stop();
    await opened.close();
  }
}

/** Opens the device as the options of `withDeviceOptions` say. */
export async function openGuarded(options: DeviceOptions): Promise<Guarded> {
  const { adapter, tuning, unsafeFast = false, timestamps = "rounded", matrixUnits, kernelsFor, note } = options;
  const opened = await openTunedDevice({ adapter, tuning, unsafeFast, timestamps, matrixUnits, log: note });
  if (unsafeFast)
    note("unsafe-fast: dawn's validation, bounds checks and clearing of memory are off; only for weights you trust");
  const { isSoftware, name } = opened.description;
  const software = kernelsFor === undefined ? isSoftware : kernelsFor === "software";
  if (software !== isSoftware) note(`kernels for ${software ? "software adapters" : "GPUs"}, on ${name}`);
  return { ...opened, software };
}

export interface HarmonizerOptions {
  /** A path. */
  readonly weights: string;
  readonly dtype?: DType;
}

export interface HarmonizerTools extends Pick<Session, "onProgress"> {
  readonly harmonizer: Harmonizer;
  /** The adapter's name. */
  readonly adapter: string;
}

/** A harmonizer on a device that is opened for it. */
export async function withHarmonizer<T>(
  { weights, globalSkip, blur, without, dtype, ...options }: DeviceOptions & ModelOptions & HarmonizerOptions,
  use: (tools: HarmonizerTools) => Promise<T>,
): Promise<T> {
  return withDevice(options, async ({ device, software, description, memoryLimit, matrixUnits, onProgress }) => {
    const loading = { device, software, memoryLimit, name: weights, globalSkip, blur, without, dtype, matrixUnits };
    const harmonizer = await withWeights(weights, (source) => Harmonizer.load(source, loading));
    try {
      return await use({ harmonizer, adapter: description.name, onProgress });
    } finally {
      await harmonizer.dispose();
    }
  });
}
