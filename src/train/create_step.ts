/** The training step of a run, cut into micro-batches where the device has no room for the whole batch at once. */
import { OutOfMemoryError } from "../errors.js";
import type { CompileProgress } from "../graph/compile.js";
import type { Runtime } from "../graph/runtime.js";
import type { HostTensor } from "../io/tensor_data.js";
import { sizeMultiple } from "../model/config.js";
import { initialTensors } from "../model/init.js";
import { levelKey } from "../model/unet.js";
import { cutBatch, modelConfigOf, type TrainConfig } from "./config.js";
import { kernelChoices } from "./kernel_choices.js";
import type { KernelChoices } from "./kernel_choices_schema.js";
import { TrainStep } from "./train_step.js";
import { compileForward } from "./validation.js";

export interface CreatedStep {
  readonly runtime: Runtime;
  readonly step: TrainStep;
  /** The settings as they can be run: `batch` and `accumulate` may have changed. */
  readonly config: TrainConfig;
  /** What the step and the validation compute with. */
  readonly kernels: KernelChoices;
}

export interface CreateStepOptions {
  /** A new runtime on the device: what a failed attempt has allocated goes with its runtime. */
  readonly newRuntime: () => Runtime;
  readonly warn: (message: string) => void;
  readonly onProgress?: ((progress: CompileProgress) => void) | undefined;
}

/** @throws OutOfMemoryError where not even the smallest batch fits */
export async function createStep(
  wanted: TrainConfig,
  initial: ReadonlyMap<string, HostTensor>,
  { newRuntime, warn, onProgress }: CreateStepOptions,
): Promise<CreatedStep> {
  const model = modelConfigOf(wanted);
  // Batch norm has nothing to normalise where the innermost level has one pixel and the batch one image.
  const least = wanted.size === sizeMultiple(model) ? 2 : 1;
  let config = wanted;
  for (;;) {
    const runtime = newRuntime();
    const { batch, size, loss, weightDecay, clipNorm, ema, accumulate, recompute } = config;
    const optimizer = { name: config.optimizer, weightDecay };
    const options = {
      config: model,
      batch,
      size,
      loss,
      optimizer,
      clipNorm,
      emaDecay: ema,
      accumulate,
      recompute,
      onProgress,
    };
    let step: TrainStep | null = null;
    try {
      step = await TrainStep.create(runtime, options, initial);
      const forward = await tryTheRest(runtime, step, config);
      return { runtime, config, step, kernels: kernelChoices(runtime, step.choices, forward) };
    } catch (error) {
      await step?.dispose();
      runtime.dispose();
      const cut = error instanceof OutOfMemoryError ? cutBatch(config, least) : null;
      if (!cut) throw error;
      warn(
        `a batch of ${batch} does not fit (${(error as Error).message}): trying ${cut.accumulate} micro-batches of ${cut.batch} a step; ` +
          "batch norm then sees fewer images at once, so the result is not the same",
      );
      config = cut;
    }
  }
}

/** Saving and validating take memory too: better found now than after the first epoch. @returns validation's kernels */
async function tryTheRest(
  runtime: Runtime,
  step: TrainStep,
  config: TrainConfig,
): Promise<ReadonlyMap<string, string>> {
  await step.readState();
  const plan = await compileForward(runtime, await step.weights(), modelConfigOf(config), config.size);
  await plan.dispose();
  return plan.parts.choices;
}

/**
 * The paper's initialisation. With the global skip the last layer starts at zero: the network then starts as the
 * identity, and a small budget is not spent on learning to copy.
 */
export function startingWeights(config: TrainConfig): Map<string, HostTensor> {
  const tensors = initialTensors(modelConfigOf(config), config.seed);
  if (!config.globalSkip) return tensors;
  for (const key of [`${levelKey(0)}.up.1.weight`, `${levelKey(0)}.up.1.bias`]) {
    const tensor = tensors.get(key);
    if (tensor) tensors.set(key, { ...tensor, data: new Uint8Array(tensor.data.length) });
  }
  return tensors;
}
