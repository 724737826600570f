/**
 * What both implementations of WebGPU are given to do; whoever runs it says with which build of the library. Results are plain
 * data, so that they can cross a process's boundary.
 */

import { Runtime } from "../../src/graph/runtime.js";
import type * as library from "../../src/index.js";
import { initialTensors } from "../../src/model/init.js";
import { TrainStep } from "../../src/train/train_step.js";
import { hashedPicture, hashedTarget } from "../helpers/hashed.js";

export type Library = Pick<typeof library, "Harmonizer" | "S2amError" | "serializeSafetensors">;

const SIZE = 96;

/** A smooth scene, and a disc in it that is too warm; RGBA. */
function scene() {
  const [image, mask] = [new Uint8ClampedArray(4 * SIZE * SIZE), new Uint8ClampedArray(4 * SIZE * SIZE)];
  for (let i = 0; i < SIZE * SIZE; i++) {
    const [x, y] = [i % SIZE, Math.floor(i / SIZE)];
    const inside = Math.hypot(x - 50, y - 42) < 22;
    const warm = inside ? 40 : 0;
    image.set([90 + x / 2 + warm, 80 + y, 140 - x / 2 - warm, 255], 4 * i);
    mask.set([inside ? 255 : 0, inside ? 255 : 0, inside ? 255 : 0, 255], 4 * i);
  }
  return {
    image: { width: SIZE, height: SIZE, data: image },
    mask: { width: SIZE, height: SIZE, data: mask },
  };
}

export interface PictureResult {
  readonly pixels: readonly number[];
  /** Pixels' components that are not as they came. */
  readonly changed: number;
}

/** The weights' picture. @param options.software chooses kernels for a CPU or for a GPU; by default as the device is */
export async function picture(
  { Harmonizer }: Library,
  device: GPUDevice,
  weights: Uint8Array,
  options: { software?: boolean } = {},
): Promise<PictureResult> {
  const harmonizer = await Harmonizer.load(weights as Uint8Array<ArrayBuffer>, { device, ...options });
  const input = scene();
  const { image } = await harmonizer.harmonize(input);
  await harmonizer.dispose();
  const pixels = Array.from(image.data);
  return { pixels, changed: pixels.filter((value, i) => value !== input.image.data[i]).length };
}

/** Weights of a small random network, so that its kernels for GPUs compile in seconds. */
export const smallWeights = ({ serializeSafetensors }: Library): Uint8Array => {
  const config = { arch: "s2ad", width: 8, levels: 5, globalSkip: false, blur: "code" } as const;
  const metadata = { arch: "s2ad", width: "8", levels: "5", global_skip: "true", blur: "code" };
  return serializeSafetensors(initialTensors(config, 1), metadata);
};

export interface TrainingResult {
  readonly losses: readonly number[];
  /** Every parameter after the steps. */
  readonly parameters: readonly number[];
}

/** Two steps of Adam from seeded parameters. */
export async function training(device: GPUDevice): Promise<TrainingResult> {
  const config = { arch: "s2ad", width: 8, levels: 5, globalSkip: false, blur: "code" } as const;
  const options = { config, batch: 2, size: 32, loss: "mse", optimizer: { name: "adam" } } as const;
  const runtime = new Runtime(device);
  const step = await TrainStep.create(runtime, options, initialTensors(config, 3));
  const batch = { x: hashedPicture(2, 32, 32), target: hashedTarget(2, 32, 32) };
  const losses = [];
  for (let i = 0; i < 2; i++) losses.push((await step.step(batch, { lr: 1e-3 })).loss);
  const state = await step.readState();
  await step.dispose();
  runtime.dispose();
  return { losses, parameters: [...state.values()].flatMap((values) => Array.from(values)) };
}

/** The codes of the errors that callers can mend; each case is to end in its own. The device is lost at the end. */
export async function errors(
  { Harmonizer, S2amError }: Library,
  device: GPUDevice,
  weights: Uint8Array,
): Promise<Record<string, string>> {
  const codeOf = async (work: () => Promise<unknown>): Promise<string> => {
    try {
      await work();
      return "none";
    } catch (error) {
      return error instanceof S2amError ? error.code : String(error);
    }
  };
  const load = (options: object = {}, bytes = weights) =>
    Harmonizer.load(bytes as Uint8Array<ArrayBuffer>, { device, ...options });
  const { image, mask } = scene();
  const harmonizer = await load();
  const small = { width: 1, height: 1, data: new Uint8ClampedArray(4) };
  const tight = await load({ memoryLimit: 2 ** 20 });
  const found = {
    "a mask of another size": await codeOf(() => harmonizer.harmonize({ image, mask: small })),
    "damaged weights": await codeOf(() => load({}, weights.slice(0, 1000))),
    "no memory": await codeOf(() => tight.harmonize({ image, mask })),
    aborted: await codeOf(() => harmonizer.harmonize({ image, mask }, { signal: AbortSignal.abort() })),
  };
  device.destroy();
  return { ...found, "a lost device": await codeOf(() => harmonizer.harmonize({ image, mask })) };
}
