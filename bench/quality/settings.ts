/** The budget that all runs share, and the commands that spend it. */
import { UsageError } from "../../src/errors.js";
import { checkConfig, type ModelConfig, sizeMultiple } from "../../src/model/config.js";
import { LOSSES, type LossName } from "../../src/train/losses.js";
import type { Variant } from "./variants.js";

/** What two runs must share to be compared; kept in the folder of results. */
export interface Budget {
  readonly size: number;
  readonly width: number;
  readonly levels: number;
  readonly steps: number;
  readonly batch: number;
  readonly loss: LossName;
  readonly lr: number;
  readonly ema: number;
  /** Side of the squares that are measured. */
  readonly evalSize: number;
  /** Validation pictures measured at the end; null for all. */
  readonly evalCount: number | null;
  /** Epochs from one validation of the training to the next, and pictures each. */
  readonly valEvery: number;
  readonly valCount: number;
}

export const DEFAULT_BUDGET: Omit<Budget, "evalSize"> = {
  size: 128,
  width: 16,
  levels: 7,
  steps: 4500,
  batch: 4,
  loss: "fn_mse",
  lr: 1e-3,
  ema: 0.998,
  evalCount: null,
  valEvery: 1,
  valCount: 100,
};

/** To see that everything works: minutes on a software adapter. */
export const QUICK_BUDGET: Omit<Budget, "evalSize"> = {
  ...DEFAULT_BUDGET,
  size: 64,
  levels: 6,
  steps: 6,
  batch: 2,
  ema: 0.5,
  evalCount: 4,
  valCount: 2,
};

export const modelOf = (variant: Variant, { width, levels }: Pick<Budget, "width" | "levels">): ModelConfig => ({
  arch: variant.arch,
  width,
  levels: variant.levels ?? levels,
  globalSkip: true,
  blur: "code",
  ...(variant.without.length > 0 && { without: variant.without }),
});

/** @throws UsageError where a network cannot be built, or not at that size */
export function checkBudget(budget: Budget, variants: readonly Variant[]): void {
  for (const variant of variants) {
    const config = checkConfig(modelOf(variant, budget));
    const multiple = sizeMultiple(config);
    if (budget.size % multiple !== 0) {
      throw new UsageError(`--size must be a multiple of ${multiple} for ${config.levels} levels, got ${budget.size}`);
    }
  }
  if (!LOSSES.includes(budget.loss))
    throw new UsageError(`--loss must be one of ${LOSSES.join(", ")}, got "${budget.loss}"`);
}

export interface Place {
  readonly data: string;
  /** Of `s2am`: which adapter. */
  readonly adapter?: string | undefined;
}

/** `s2am train` from its beginning, or from where it was cut. */
export function trainArgs(
  variant: Variant,
  seed: number,
  budget: Budget,
  { data, adapter }: Place,
  run: string,
): string[] {
  const { size, width, levels, steps, batch, loss, lr, ema, valEvery, valCount } = budget;
  const settings: Record<string, string | number> = {
    data,
    arch: variant.arch,
    width,
    levels: variant.levels ?? levels,
    without: variant.without.join(",") || "none",
    size,
    batch,
    steps,
    loss,
    optimizer: "adam",
    lr,
    schedule: "cosine",
    ema,
    seed,
    "val-every": valEvery,
    "val-count": valCount,
    resume: run,
    ...(adapter !== undefined && { adapter }),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return ["train", ...flags, "--global-skip", "--json"];
}

/** `s2am eval` of what a run ends with, by the paper's protocol. */
export function evalArgs(
  weights: string,
  csv: string,
  pasted: boolean,
  { evalSize, evalCount }: Budget,
  { data, adapter }: Place,
): string[] {
  return [
    "eval",
    ...["--data", data, "--part", "val", "--weights", weights, "--protocol", "paper", "--size", String(evalSize)],
    ...(evalCount === null ? [] : ["--limit", String(evalCount)]),
    ...(adapter === undefined ? [] : ["--adapter", adapter]),
    ...(pasted ? [] : ["--no-paste"]),
    ...["--csv", csv, "--json"],
  ];
}

/** @throws UsageError naming the first difference: a folder holds runs of one budget */
export function checkSameBudget(folder: string, found: Budget, wanted: Budget): void {
  for (const key of Object.keys(wanted) as (keyof Budget)[]) {
    if (found[key] === wanted[key]) continue;
    throw new UsageError(
      `${folder}: holds runs of ${key} ${found[key]}, not ${wanted[key]}: give the same budget, or name another folder`,
    );
  }
}
