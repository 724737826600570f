/** Holds what a compiler makes of the kernels against what it made of them before, so that it cannot rot unseen. */
import { UsageError } from "../../src/errors.js";
import { instructionsPerMultiplyAdd, type KernelFigures, multiplyAddShare } from "./figures.js";
import type { FamilyRecord, IsaRecord } from "./record.js";
import { type Workload, workloadName } from "./workload.js";

interface Figure {
  readonly name: string;
  readonly better: "more" | "less";
  /** Differences up to this share do not count. */
  readonly noise: number;
  /** Null where a kernel has none. */
  of(figures: KernelFigures): number | null;
}

const inLoop =
  (name: "divisions" | "multiplications") =>
  ({ loop }: KernelFigures): number =>
    loop[name];

/** Two compilations of one source are equal, so noise is only where an instruction more or less means nothing. */
export const FIGURES: readonly Figure[] = [
  { name: "spilled VGPRs", better: "less", noise: 0, of: ({ spilledVgprs }) => spilledVgprs },
  { name: "spilled SGPRs", better: "less", noise: 0, of: ({ spilledSgprs }) => spilledSgprs },
  { name: "scratch", better: "less", noise: 0, of: ({ scratch }) => scratch },
  { name: "waves", better: "more", noise: 0, of: ({ waves }) => waves },
  { name: "multiply-add share", better: "more", noise: 0.01, of: multiplyAddShare },
  { name: "instructions per multiply-add", better: "less", noise: 0.01, of: instructionsPerMultiplyAdd },
  { name: "divisions", better: "less", noise: 0, of: inLoop("divisions") },
  { name: "multiplications", better: "less", noise: 0, of: inLoop("multiplications") },
];

export interface Change {
  readonly family: string;
  /** Shader and constants; both of them where they differ. */
  readonly kernel: string;
  readonly figure: string;
  readonly before: number;
  readonly now: number;
}

export interface IsaComparison {
  readonly file: string;
  readonly date: string;
  readonly worse: readonly Change[];
  readonly better: readonly Change[];
  /** Pairs of kernels that were compared. */
  readonly pairs: number;
  /** Kernels of the earlier file that have no counterpart now, and those of now that had none. */
  readonly gone: readonly string[];
  readonly added: readonly string[];
}

/** @throws UsageError where the file is of another workload, or shares no family */
export function assertComparable(old: IsaRecord, workload: Workload, families: readonly string[], file: string): void {
  const [before, now] = [workloadName(old.workload), workloadName(workload)];
  if (before !== now || old.workload.levels !== workload.levels)
    throw new UsageError(`${file} is of ${before}, this is ${now}: compile what that file's "command" says`);
  if (!old.families.some(({ family }) => families.includes(family))) {
    const had = old.families.map(({ family }) => family).join(", ");
    throw new UsageError(`${file} is of ${had}, this is of ${families.join(", ")}: give --family one of the former`);
  }
}

export function compareRecords(old: IsaRecord, now: Pick<IsaRecord, "families">, file: string): IsaComparison {
  const changes: (Change & { worse: boolean })[] = [];
  const [gone, added]: [string[], string[]] = [[], []];
  let pairs = 0;
  for (const before of old.families) {
    const after = now.families.find(({ family }) => family === before.family);
    if (!after) continue;
    const paired = pairUp(before, after);
    pairs += paired.pairs.length;
    gone.push(...paired.gone.map((one) => `${before.family} ${nameOf(one)}`));
    added.push(...paired.added.map((one) => `${before.family} ${nameOf(one)}`));
    for (const [one, other] of paired.pairs) {
      const kernel = nameOf(one) === nameOf(other) ? nameOf(one) : `${nameOf(one)}, now ${nameOf(other)}`;
      changes.push(...changesOf(one, other).map((change) => ({ family: before.family, kernel, ...change })));
    }
  }
  const pick = (wanted: boolean): Change[] =>
    changes.filter(({ worse }) => worse === wanted).map(({ worse: _, ...change }) => change);
  return { file, date: old.date, worse: pick(true), better: pick(false), pairs, gone, added };
}

const nameOf = ({ shader, constants }: KernelFigures): string => `${shader} ${constants}`.trim();

function changesOf(before: KernelFigures, now: KernelFigures) {
  return FIGURES.flatMap(({ name, better, noise, of }) => {
    const [a, b] = [of(before), of(now)];
    if (a === null || b === null || Math.abs(a - b) <= noise * Math.max(a, b)) return [];
    return [{ figure: name, before: a, now: b, worse: better === "less" ? b > a : b < a }];
  });
}

/** By shader and constants; what is left, by shader and the most constants in common: a change may add or rename one. */
function pairUp(before: FamilyRecord, after: FamilyRecord) {
  const pairs: (readonly [KernelFigures, KernelFigures])[] = [];
  const left = new Set(after.kernels);
  const unpaired: KernelFigures[] = [];
  for (const one of before.kernels) {
    const same = [...left].find((other) => nameOf(other) === nameOf(one));
    if (!same) {
      unpaired.push(one);
      continue;
    }
    left.delete(same);
    pairs.push([one, same]);
  }
  const gone: KernelFigures[] = [];
  for (const one of unpaired) {
    const candidates = [...left].filter(({ shader }) => shader === one.shader);
    const [first, ...others] = candidates.sort((a, b) => inCommon(one, b) - inCommon(one, a));
    // Two that fit equally well are not to be told apart.
    if (!first || (others[0] && inCommon(one, others[0]) === inCommon(one, first))) {
      gone.push(one);
      continue;
    }
    left.delete(first);
    pairs.push([one, first]);
  }
  return { pairs, gone, added: [...left] };
}

function inCommon(a: KernelFigures, b: KernelFigures): number {
  const constants = new Set(a.constants.split(" "));
  return b.constants.split(" ").filter((constant) => constants.has(constant)).length;
}

const show = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(2));

/** Lines for people. */
export function showComparison({ file, date, worse, better, pairs, gone, added }: IsaComparison): string[] {
  const rows = (verdict: string, changes: readonly Change[]): string[] =>
    changes.map(
      ({ family, kernel, figure, before, now }) =>
        `  ${verdict} ${family} ${figure} ${show(before)} -> ${show(now)}  ${kernel}`,
    );
  return [
    `against ${file} of ${date}: ${pairs} kernels compared, ${worse.length} figures worse, ${better.length} better`,
    ...rows("worse ", worse),
    ...rows("better", better),
    ...gone.map((name) => `  gone   ${name}`),
    ...added.map((name) => `  new    ${name}`),
    ...(pairs === 0 ? ["  nothing to compare"] : []),
  ];
}
