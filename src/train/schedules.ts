/** How the learning rate changes over a training: a pure function of the step, so that a resumed run goes on as it was. */
import { UsageError } from "../errors.js";

/** `constant`: the paper's. `step`: falls by a factor at milestones. `cosine`: falls along half a cosine. */
export const SCHEDULES = ["constant", "step", "cosine"] as const;
export type ScheduleName = (typeof SCHEDULES)[number];

export interface Schedule {
  readonly name: ScheduleName;
  /** The rate that the others are relative to; above 0. */
  readonly lr: number;
  /** Steps of a linear rise that the run begins with: the first step takes lr / warmup, the last of them lr. Default 0. */
  readonly warmup?: number;
  /** For `step`: where the rate falls, as shares of the run, rising. Default: iS2AM's 105 and 115 of 120 epochs. */
  readonly milestones?: readonly number[];
  /** For `step`: what the rate is multiplied by at each milestone, in (0, 1]. Default 0.1. */
  readonly factor?: number;
  /** For `cosine`: share of the run before the rate begins to fall, in [0, 1). Default 0: it falls from the warm-up's end. */
  readonly hold?: number;
  /** For `cosine`: share of lr that the run ends at, in [0, 1]. Default 0. */
  readonly floor?: number;
}

const MILESTONES = [105 / 120, 115 / 120];

/** @throws UsageError naming the number that is out of its range */
export function checkSchedule({
  name,
  lr,
  warmup = 0,
  milestones = [],
  factor = 1,
  hold = 0,
  floor = 0,
}: Schedule): void {
  const check = (fits: boolean, what: string, got: unknown): void => {
    if (!fits) throw new UsageError(`learning rate: ${what}, got ${got}`);
  };
  check(SCHEDULES.includes(name), `the schedule must be one of ${SCHEDULES.join(", ")}`, name);
  check(lr > 0 && Number.isFinite(lr), "lr must be a number above 0", lr);
  check(Number.isInteger(warmup) && warmup >= 0, "warmup must be a whole number of steps from 0", warmup);
  const rising = milestones.every((share, i) => share > (milestones[i - 1] ?? 0) && share < 1);
  check(rising, "milestones must be rising shares of the run between 0 and 1", milestones.join(", "));
  check(factor > 0 && factor <= 1, "factor must lie above 0 and be at most 1", factor);
  check(hold >= 0 && hold < 1, "hold must be a share of the run from 0 to below 1", hold);
  check(floor >= 0 && floor <= 1, "floor must be a share of lr from 0 to 1", floor);
}

/**
 * The rate of one step.
 * @param step from 0; past the end of the run the rate stays as it ends
 * @param totalSteps of the run, warm-up counted in
 * @throws UsageError for a schedule or a number of steps out of range
 */
export function learningRate(schedule: Schedule, step: number, totalSteps: number): number {
  checkSchedule(schedule);
  if (!Number.isInteger(totalSteps) || totalSteps < 1) {
    throw new UsageError(`learning rate: a run has a whole number of steps from 1, got ${totalSteps}`);
  }
  if (!Number.isInteger(step) || step < 0) {
    throw new UsageError(`learning rate: a step is a whole number from 0, got ${step}`);
  }
  const { lr, warmup = 0 } = schedule;
  const risen = step < warmup ? (step + 1) / warmup : 1;
  return lr * risen * decay(schedule, step, totalSteps);
}

/** Share of lr that is left at a step, warm-up aside. */
function decay(schedule: Schedule, step: number, totalSteps: number): number {
  const { name, warmup = 0, milestones = MILESTONES, factor = 0.1, hold = 0, floor = 0 } = schedule;
  if (name === "constant") return 1;
  if (name === "step") return factor ** milestones.filter((share) => step >= Math.round(share * totalSteps)).length;
  const start = Math.max(warmup, Math.round(hold * totalSteps));
  const passed = Math.min(1, Math.max(0, step - start) / Math.max(1, totalSteps - start));
  return floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * passed));
}
