/** Runs the parts of a bench that the options ask for. */
import { checkKernels, KERNEL_HEADER, timeKernels } from "../../../bench/kernels.js";
import { benchModel } from "../../../bench/model.js";
import type { PlannedTraining, Results } from "../../../bench/results.js";
import { measureRoofline, type Roofline, showRoofline } from "../../../bench/roofline/roofline.js";
import { benchTraining } from "../../../bench/training.js";
import type { CompileProgress } from "../../graph/compile.js";
import type { PassTiming } from "../../graph/plan.js";
import { Runtime, type RuntimeOptions } from "../../graph/runtime.js";
import { requireMatrixUnits } from "../../kernels/matrix_units.js";
import type { ModelConfig } from "../../model/config.js";
import { initialTensors } from "../../model/init.js";
import { TrainStep } from "../../train/train_step.js";
import type { BenchOptions } from "../bench.js";
import type { Guarded } from "../session.js";

export interface Hooks {
  /** A line for people while it goes on; silent with --json. */
  readonly print: (line: string) => void;
  readonly onProgress: (progress: CompileProgress) => void;
}

export interface Measured
  extends Omit<Results, "command" | "date" | "versions" | "adapter" | "passes" | "trainingPasses" | "compare"> {
  /** Of one profiled run of the network; empty without timestamps. */
  readonly passes: readonly PassTiming[];
  readonly trainingPasses: readonly PassTiming[];
}

export async function measure(
  { device, software }: Guarded,
  config: ModelConfig,
  options: BenchOptions,
  { print, onProgress }: Hooks,
): Promise<Measured> {
  const roofline = options.roofline ? await measureRoofline(device, software) : null;
  if (roofline) for (const line of showRoofline(roofline)) print(line);
  const matrixUnits = options.matrixUnits ? await requireMatrixUnits(device) : undefined;
  const { check, kernels } = await benchKernels(device, { software, matrixUnits }, options, roofline, print);
  const { size, batch, recompute = false } = options;
  const common = { config, size, batch, software, roofline, seconds: options.seconds, onProgress };
  const model = options.model ? await benchModel(device, { ...common, matrixUnits, dtype: options.dtype }) : null;
  const training = options.train ? await benchTraining(device, { ...common, recompute }) : null;
  return {
    ...(roofline && { roofline }),
    ...(check && { check: { cases: check.length, wrong: check.filter(({ ok }) => !ok) } }),
    ...(kernels && { kernels }),
    ...(model && { model: model.row }),
    ...(training && { training: training.row, plannedTraining: planTraining(device, software, config, size) }),
    passes: model?.passes ?? [],
    trainingPasses: training?.passes ?? [],
  };
}

async function benchKernels(
  device: GPUDevice,
  capabilities: RuntimeOptions,
  options: BenchOptions,
  roofline: Roofline | null,
  print: (line: string) => void,
) {
  const runtime = new Runtime(device, capabilities);
  const { filter, allVariants, dtype } = options;
  const common = { filter, allVariants, dtype, roofline, seconds: options.seconds / 7, onRow: print };
  try {
    const check = options.check ? await checkKernels(runtime, common) : null;
    if (check) print(`checked ${check.length} cases, ${check.filter(({ ok }) => !ok).length} wrong`);
    if (options.kernels) print(KERNEL_HEADER);
    const kernels = options.kernels ? await timeKernels(runtime, common) : null;
    return { check, kernels };
  } finally {
    runtime.dispose();
  }
}

const PLANNED_BATCH = 8;

/** Batch 8 fits few software adapters' time; its memory needs no run to be known. */
function planTraining(device: GPUDevice, software: boolean, config: ModelConfig, size: number): PlannedTraining {
  const runtime = new Runtime(device, { software });
  const initial = initialTensors(config, 1);
  const plan = (recompute: boolean) =>
    TrainStep.plannedMemory(
      runtime,
      { config, size, batch: PLANNED_BATCH, loss: "mse", optimizer: { name: "adam" }, recompute },
      initial,
    );
  try {
    return { batch: PLANNED_BATCH, keeping: plan(false), recomputing: plan(true) };
  } finally {
    runtime.dispose();
  }
}
