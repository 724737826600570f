/** Runs of several seeds as figures with their spread, and what can be said of their differences. */
import type { PictureMetrics } from "../../src/image/protocols.js";
import { ARCHS, S2AM_PARTS } from "../../src/model/config.js";
import { medianOf } from "../statistics.js";
import { type RunRecord, runName } from "./record.js";
import type { Variant } from "./variants.js";

export const METRICS = ["psnr", "ssim", "mse", "wrappedMse", "fmse"] as const;
export type Metric = (typeof METRICS)[number];

/** Over the seeds. */
export interface Figure {
  readonly mean: number;
  /** Standard deviation of the sample (n - 1); null of one seed. */
  readonly deviation: number | null;
  readonly count: number;
}

export type Figures = Readonly<Record<Metric, Figure>>;

export interface Row {
  readonly variant: Variant;
  readonly seeds: readonly number[];
  readonly parameters: number;
  /** Milliseconds, the median over the seeds of each run's median. */
  readonly stepMs: number;
  /** The network's output as it is, and under the mask alone. */
  readonly whole: Figures;
  readonly pasted: Figures;
}

export function figureOf(values: readonly number[]): Figure {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: count > 1 ? Math.sqrt(squares / (count - 1)) : null, count };
}

export function figuresOf(measured: readonly PictureMetrics[]): Figures {
  const figure = (metric: Metric): Figure => figureOf(measured.map((one) => one[metric] ?? Number.NaN));
  return Object.fromEntries(METRICS.map((metric) => [metric, figure(metric)])) as Figures;
}

/** The paper's order of networks, whole ones first; then by seed. */
export function inOrder(records: readonly RunRecord[]): RunRecord[] {
  const place = ({ variant: { arch, without, levels }, seed }: RunRecord): number[] => [
    without.length + (levels ?? 0),
    ARCHS.indexOf(arch),
    ...S2AM_PARTS.map((part) => (without.includes(part) ? 0 : 1)),
    seed,
  ];
  return [...records].sort((a, b) => {
    const [left, right] = [place(a), place(b)];
    return left.map((value, i) => value - (right[i] ?? 0)).find((difference) => difference !== 0) ?? 0;
  });
}

/** A row a network, in the order of their first runs. */
export function rowsOf(records: readonly RunRecord[]): Row[] {
  const names = [...new Set(records.map(({ variant }) => variant.name))];
  return names.flatMap((name) => {
    const runs = records.filter(({ variant }) => variant.name === name).sort((a, b) => a.seed - b.seed);
    const [first] = runs;
    if (!first) return [];
    return [
      {
        variant: first.variant,
        seeds: runs.map(({ seed }) => seed),
        parameters: first.parameters,
        stepMs: medianOf(runs.map(({ step }) => step.median)),
        whole: figuresOf(runs.map(({ whole }) => whole.after)),
        pasted: figuresOf(runs.map(({ pasted }) => pasted.after)),
      },
    ];
  });
}

/** One network's PSNR less another's. */
export interface Difference {
  readonly name: string;
  readonly from: string;
  /** Decibels, of the means. */
  readonly psnr: number;
  /**
   * What seeds alone make of the difference of two runs: the root of the sum of both variances. Null where either network
   * was trained from one seed.
   */
  readonly spread: number | null;
  /** Seeds that both were trained from, and in how many of them the first is higher. */
  readonly common: number;
  readonly higher: number;
  /** Whether the difference is larger than the spread; null where there is none. */
  readonly exceeds: boolean | null;
}

export type Output = "whole" | "pasted";

export function differenceOf(row: Row, from: Row, output: Output, records: readonly RunRecord[]): Difference {
  const [a, b] = [row[output].psnr, from[output].psnr];
  const psnr = a.mean - b.mean;
  const spread = a.deviation === null || b.deviation === null ? null : Math.hypot(a.deviation, b.deviation);
  const of = ({ variant }: Row, seed: number): number =>
    records.find((one) => one.variant.name === variant.name && one.seed === seed)?.[output].after.psnr ?? Number.NaN;
  const common = row.seeds.filter((seed) => from.seeds.includes(seed));
  return {
    name: row.variant.name,
    from: from.variant.name,
    psnr,
    spread,
    common: common.length,
    higher: common.filter((seed) => of(row, seed) > of(from, seed)).length,
    exceeds: spread === null ? null : Math.abs(psnr) > spread,
  };
}

/** Rows by PSNR, the highest first. */
export const ranked = (rows: readonly Row[], output: Output): Row[] =>
  [...rows].sort((a, b) => b[output].psnr.mean - a[output].psnr.mean);

/** Validation PSNR of a network when the fastest one's training was over. */
export interface AtEqualTime {
  readonly name: string;
  /** Steps it had taken by then. */
  readonly steps: number;
  /** Its last validation until then, the mean over the seeds; null where there was none. */
  readonly validation: { readonly step: number; readonly psnr: number } | null;
}

export function atEqualTime(rows: readonly Row[], records: readonly RunRecord[]): AtEqualTime[] {
  const fastest = Math.min(...rows.map(({ stepMs }) => stepMs));
  return rows.map(({ variant, stepMs }) => {
    const runs = records.filter((one) => one.variant.name === variant.name);
    const steps = Math.floor(((runs[0]?.budget.steps ?? 0) * fastest) / stepMs);
    const points = runs.map(({ curves }) => curves.validation.filter(({ step }) => step <= steps).at(-1));
    const found = points.filter((point) => point !== undefined);
    const [first] = found;
    const validation = first &&
      found.length === runs.length && {
        step: first.step,
        psnr: found.reduce((sum, { psnr }) => sum + psnr, 0) / found.length,
      };
    return { name: variant.name, steps, validation: validation || null };
  });
}

/** What keeps runs from being compared as they stand. */
export function remarksOf(records: readonly RunRecord[], expected: readonly string[]): string[] {
  const remarks: string[] = [];
  const there = new Set(records.map(({ variant, seed }) => runName(variant, seed)));
  const missing = expected.filter((name) => !there.has(name));
  if (missing.length > 0) remarks.push(`Not complete yet: ${missing.join(", ")}.`);
  const cut = records.filter(({ batch, budget }) => batch !== budget.batch);
  if (cut.length > 0) {
    const names = cut.map(({ variant, seed, batch }) => `${runName(variant, seed)} (${batch})`).join(", ");
    remarks.push(`Batch norm saw fewer images at once, for want of memory, in ${names}: not an equal budget.`);
  }
  const differ = (what: string, of: (record: RunRecord) => string | number): void => {
    const values = [...new Set(records.map(of))];
    if (values.length > 1) remarks.push(`The runs do not share ${what}: ${values.join(", ")}.`);
  };
  differ("the adapter, so that times do not compare", ({ adapter }) => adapter);
  differ("the program's version", ({ build }) => build.slice(0, 12));
  differ("the pictures they were measured on", ({ whole, pasted }) =>
    whole.pictures === pasted.pictures ? whole.pictures : `${whole.pictures} and ${pasted.pictures}`,
  );
  differ("the composites' own PSNR", ({ whole }) => whole.before.psnr);
  return remarks;
}
