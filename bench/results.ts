/** What `s2am bench` finds: the JSON that it prints and that lies under bench/results/. */
import type { AdapterDescription } from "../src/gpu/device.js";
import type { TrainMemory } from "../src/train/train_step.js";
import type { KernelShare } from "./breakdown.js";
import type { Comparison } from "./compare.js";
import type { CheckRow, KernelRow } from "./kernels.js";
import type { ModelRow } from "./model.js";
import type { Roofline } from "./roofline/roofline.js";
import type { TrainingRow } from "./training.js";

/** What a training step of the network would take at a batch of 8, found by planning alone. */
export interface PlannedTraining {
  readonly batch: number;
  readonly keeping: TrainMemory;
  /** Computing the activations inside each S2AM again. */
  readonly recomputing: TrainMemory;
}

export interface Results {
  readonly command: string;
  readonly date: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly adapter: AdapterDescription;
  readonly roofline?: Roofline;
  readonly check?: { readonly cases: number; readonly wrong: readonly CheckRow[] };
  readonly kernels?: readonly KernelRow[];
  readonly model?: ModelRow;
  readonly training?: TrainingRow;
  readonly plannedTraining?: PlannedTraining;
  /** Of one profiled run of the model, by op and variant. */
  readonly passes?: readonly KernelShare[];
  /** Of one profiled training step. */
  readonly trainingPasses?: readonly KernelShare[];
  readonly compare?: Comparison;
}
