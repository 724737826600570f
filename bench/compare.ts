/** Holds a run's times against an earlier run's, so that speed cannot rot unseen. */
import * as v from "valibot";
import { InputError, UsageError } from "../src/errors.js";

/** What is read of a result file; every file since the first has these. */
const timing = { msMedian: v.number(), msP95: v.number(), spread: v.optional(v.number()) };
const network = v.looseObject({
  name: v.string(),
  width: v.number(),
  levels: v.number(),
  size: v.number(),
  batch: v.number(),
  recompute: v.optional(v.boolean()),
  dtype: v.optional(v.string()),
  ...timing,
});
const ResultFile = v.looseObject({
  date: v.string(),
  adapter: v.looseObject({ name: v.string() }),
  kernels: v.optional(
    v.array(
      v.looseObject({
        kernel: v.string(),
        op: v.optional(v.string()),
        case: v.string(),
        dtype: v.optional(v.string()),
        ...timing,
      }),
    ),
  ),
  model: v.optional(network),
  training: v.optional(network),
});

export type Timed = v.InferOutput<typeof ResultFile>;

export interface ComparedRow {
  readonly part: "kernel" | "model" | "training";
  readonly name: string;
  readonly oldMs: number;
  readonly newMs: number;
  /** New over old: above 1 is slower. */
  readonly ratio: number;
  /** Differences within this share are taken for noise. */
  readonly noise: number;
}

export interface Comparison {
  readonly file: string;
  readonly date: string;
  /** The worst first. */
  readonly slower: readonly ComparedRow[];
  /** The best first. */
  readonly faster: readonly ComparedRow[];
  /** Rows within the noise. */
  readonly same: number;
  /** Rows of the earlier run that this one did not time. */
  readonly missing: readonly string[];
}

/** @throws InputError naming the file, and what is wrong with it */
export function parseResults(text: string, file: string): Timed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InputError(`${file}: not JSON (${(cause as Error).message}): expected a file that s2am bench wrote`, {
      cause,
    });
  }
  const parsed = v.safeParse(ResultFile, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const where = v.getDotPath(issue) ?? "the document";
  throw new InputError(`${file}: ${where}: ${issue.message}: expected a file that s2am bench wrote`);
}

/** @throws UsageError where the times are of another adapter, which says nothing about the code */
export function assertSameAdapter(old: Timed, adapter: { readonly name: string }, file: string): void {
  if (old.adapter.name === adapter.name) return;
  throw new UsageError(
    `${file} was measured on "${old.adapter.name}", this is "${adapter.name}": choose that adapter with --adapter, or compare all the same with --force-compare`,
  );
}

/** Below this no difference counts, however steady the samples of each run were: runs differ by more than their samples. */
export const LEAST_NOISE = 0.05;

interface Row extends Pick<ComparedRow, "part" | "name"> {
  readonly ms: number;
  readonly spread: number;
  /** Op and case: what is left of a kernel row when its variant has been replaced by another. */
  readonly problem: string;
}

/**
 * Rows pair by kernel and case; where a case has one row in each run, also across a change of variant.
 * @param ops names of all ops, for files whose rows do not say where the op's name ends
 */
export function compareResults(old: Timed, now: Timed, file: string, ops: readonly string[]): Comparison {
  const [before, after] = [rowsOf(old, ops), rowsOf(now, ops)];
  const byName = new Map(after.map((row) => [`${row.part} ${row.name}`, row]));
  const [slower, faster]: [ComparedRow[], ComparedRow[]] = [[], []];
  const missing: string[] = [];
  let same = 0;
  for (const row of before) {
    const match = byName.get(`${row.part} ${row.name}`) ?? replaced(row, before, after);
    if (!match) {
      missing.push(`${row.part} ${row.name}`);
      continue;
    }
    const noise = Math.max(LEAST_NOISE, row.spread + match.spread);
    const ratio = match.ms / row.ms;
    const name = match.name === row.name ? row.name : `${row.name}, now ${match.name}`;
    const compared = { part: row.part, name, oldMs: row.ms, newMs: match.ms, ratio, noise };
    if (ratio > 1 + noise) slower.push(compared);
    else if (ratio < 1 / (1 + noise)) faster.push(compared);
    else same += 1;
  }
  slower.sort((a, b) => b.ratio - a.ratio);
  faster.sort((a, b) => a.ratio - b.ratio);
  return { file, date: old.date, slower, faster, same, missing };
}

function rowsOf({ kernels = [], model, training }: Timed, ops: readonly string[]): Row[] {
  const rows: Row[] = kernels.map((row) => ({
    part: "kernel",
    name: [row.kernel, row.case, ...(row.dtype && row.dtype !== "f32" ? [row.dtype] : [])].join(" "),
    problem: `${row.op ?? opOf(row.kernel, ops)} ${row.case} ${row.dtype ?? "f32"}`,
    ...timesOf(row),
  }));
  for (const [part, row] of [
    ["model", model],
    ["training", training],
  ] as const) {
    if (!row) continue;
    const { name, width, levels, size, batch, recompute, dtype = "f32" } = row;
    const shown = `${name} width ${width} levels ${levels} size ${size} batch ${batch} ${dtype}${recompute ? " recomputing" : ""}`;
    rows.push({ part, name: shown, problem: shown, ...timesOf(row) });
  }
  return rows;
}

/** Files from before the spread was written have their tail instead, which is the wider. */
const timesOf = ({ msMedian, msP95, spread }: { msMedian: number; msP95: number; spread?: number | undefined }) => ({
  ms: msMedian,
  spread: spread ?? Math.max(0, msP95 / msMedian - 1),
});

const opOf = (kernel: string, ops: readonly string[]): string =>
  ops.filter((op) => kernel.startsWith(`${op}_`)).reduce((a, b) => (b.length > a.length ? b : a), "");

/** The row of the same op and case, where there is but one in each run: another variant is chosen for it now. */
function replaced(row: Row, before: readonly Row[], after: readonly Row[]): Row | undefined {
  const alike = (other: Row): boolean => other.part === row.part && other.problem === row.problem;
  const [candidates, rivals] = [after.filter(alike), before.filter(alike)];
  return candidates.length === 1 && rivals.length === 1 ? candidates[0] : undefined;
}

/** Lines for people. */
export function showComparison({ file, date, slower, faster, same, missing }: Comparison): string[] {
  const rows = (verdict: string, compared: readonly ComparedRow[]): string[] =>
    compared.map(
      ({ part, name, oldMs, newMs, ratio, noise }) =>
        `  ${verdict} ${ratio.toFixed(2)} x  ${oldMs.toFixed(3)} -> ${newMs.toFixed(3)} ms  ${part} ${name} (noise ${(100 * noise).toFixed(0)} %)`,
    );
  const compared = slower.length + faster.length + same;
  return [
    `against ${file} of ${date}: ${slower.length} slower, ${faster.length} faster, ${same} within the noise`,
    ...rows("slower", slower),
    ...rows("faster", faster),
    ...(missing.length > 0 ? [`  ${missing.length} rows of that file were not timed now`] : []),
    ...(compared === 0 ? ["  nothing to compare: run it with the options of that file's `command`"] : []),
  ];
}
