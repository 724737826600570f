/** What is kept of a run once it is complete: all that the report needs, in one file. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { MeansByShare as Measures } from "../../src/cli/eval_summary.js";
import { InputError } from "../../src/errors.js";
import { parseHistory } from "../../src/train/history.js";
import { type Summary, summarize } from "../statistics.js";
import type { Budget } from "./settings.js";
import type { Variant } from "./variants.js";

export interface LossPoint {
  readonly step: number;
  readonly loss: number;
}

export interface ValidationPoint {
  readonly step: number;
  /** Decibels, pasted back, over the training's validation pictures. */
  readonly psnr: number;
}

export interface RunRecord {
  readonly variant: Variant;
  readonly seed: number;
  readonly budget: Budget;
  /** Trained parameters. */
  readonly parameters: number;
  /** SHA-256 of the command line's code: runs of two versions are told apart. */
  readonly build: string;
  readonly adapter: string;
  /** When it was complete. */
  readonly date: string;
  /** Images a step whose statistics batch norm took: fewer than the budget's where the device had no room. */
  readonly batch: number;
  /** Milliseconds of a step, the wait for pictures counted in. */
  readonly step: Summary;
  /** The network's output as it is, and under the mask alone. */
  readonly whole: Measures;
  readonly pasted: Measures;
  readonly curves: { readonly loss: readonly LossPoint[]; readonly validation: readonly ValidationPoint[] };
}

export const runName = (variant: Variant, seed: number): string => `${variant.name}-seed${seed}`;

/** Points of a loss curve: as many as a chart can show. */
const LOSS_POINTS = 120;

export interface RunLog {
  readonly step: Summary;
  readonly curves: RunRecord["curves"];
}

/** A run's `log.csv`. @param batch images a step */
export async function readLog(run: string, batch: number): Promise<RunLog> {
  const path = join(run, "log.csv");
  const text = await readFile(path, "latin1").catch((cause: unknown) => {
    throw new InputError(`${path}: cannot be read`, { cause });
  });
  const { train, validation } = parseHistory(text, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY).history;
  const taken = train.filter(({ skipped }) => !skipped);
  if (taken.length === 0) throw new InputError(`${path}: holds no step`);
  return {
    step: summarize(train.map(({ imagesPerSecond }) => (1000 * batch) / imagesPerSecond)),
    curves: {
      loss: means(taken, Math.ceil(taken.length / LOSS_POINTS)),
      validation: validation.filter(({ psnr }) => Number.isFinite(psnr)).map(({ step, psnr }) => ({ step, psnr })),
    },
  };
}

/** Of `count` neighbours each, at the last one's step. */
function means(rows: readonly LossPoint[], count: number): LossPoint[] {
  const points: LossPoint[] = [];
  for (let start = 0; start < rows.length; start += count) {
    const group = rows.slice(start, start + count);
    const loss = group.reduce((sum, row) => sum + row.loss, 0) / group.length;
    points.push({ step: group.at(-1)?.step ?? 0, loss });
  }
  return points;
}
