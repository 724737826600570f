/** What is compiled: a network at a resolution, or a training step. */
import { UsageError } from "../../src/errors.js";
import type { DType } from "../../src/graph/tensor.js";
import { type Arch, checkConfig, DEFAULT_CONFIG, sizeMultiple } from "../../src/model/config.js";
import { checkTrainOptions } from "../../src/train/train_step.js";

export interface Workload {
  /** Of the weights, where those are given: then `width` and `levels` are theirs too. */
  readonly arch: Arch;
  readonly width: number;
  readonly levels: number;
  /** Side of the square pictures. */
  readonly size: number;
  readonly batch: number;
  readonly dtype: DType;
  /** A training step instead of a run. */
  readonly train: boolean;
  /** On matrix units. */
  readonly matrixUnits: boolean;
  /** A file of weights; null for values that stand for some. */
  readonly weights: string | null;
}

/** `s2ad64-256-f32`, `s2ad16-128x4-train-f32` */
export function workloadName({ arch, width, size, batch, dtype, train, matrixUnits }: Workload): string {
  const shape = batch > 1 ? `${size}x${batch}` : String(size);
  return `${arch}${width}-${shape}${train ? "-train" : ""}-${dtype}${matrixUnits ? "-matrix" : ""}`;
}

/** @throws UsageError naming the option, its range and what came */
export function checkWorkload(workload: Workload): Workload {
  const { arch, width, levels, size, batch, dtype, train, matrixUnits } = workload;
  const config = checkConfig({ ...DEFAULT_CONFIG, arch, width, levels });
  const multiple = sizeMultiple(config);
  if (!Number.isInteger(size) || size < multiple || size % multiple !== 0)
    throw new UsageError(`--size must be a multiple of ${multiple} for ${levels} levels (2^levels), got ${size}`);
  if (!Number.isInteger(batch) || batch < 1)
    throw new UsageError(`--batch must be a whole number from 1, got ${batch}`);
  if (train && dtype !== "f32") throw new UsageError("--train computes in f32: leave out --dtype f16");
  if (matrixUnits && dtype !== "f16") throw new UsageError("--matrix-units multiply f16: add --dtype f16");
  if (train) checkTrainOptions({ config, batch, size, loss: "mse", optimizer: { name: "adam" } });
  return workload;
}

/** What is kept under bench/results/isa/: `npm run bench:isa -- --all`. */
export function recordedWorkloads(defaultWeights: Workload): Workload[] {
  const paper = { width: 64, levels: 8, size: 256, batch: 1, train: false, matrixUnits: false, weights: null };
  const dtypes = ["f32", "f16"] as const;
  const archs = ["unet", "s2asc", "s2ad"] as const;
  return [
    ...archs.flatMap((arch) => dtypes.map((dtype) => ({ ...paper, arch, dtype }))),
    ...dtypes.map((dtype) => ({ ...defaultWeights, size: 512, dtype })),
    { ...paper, arch: "s2ad", width: 16, levels: 7, size: 128, batch: 4, dtype: "f32", train: true },
  ];
}
