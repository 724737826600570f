/** What `s2am synth` says at its end, as JSON and as lines. */
import { tally } from "../data/synth/make_composites.node.js";
import type { Entry, MadeEntry } from "../data/synth/manifest.js";
import type { OpenedSources } from "../data/synth/open_sources.node.js";

type Counts = Readonly<Record<string, number>>;

export interface SynthCounts {
  readonly transforms: Counts;
  readonly masks: Counts;
  /** Attempts that were not good enough, by reason. */
  readonly rejected: Counts;
}

export interface SynthSummary {
  readonly photographs: number;
  readonly subjects: number;
  readonly cutouts: number;
  readonly asked: number;
  /** Composites there are, those of earlier runs counted in. */
  readonly composites: number;
  readonly train: number;
  readonly val: number;
  /** Of earlier runs. */
  readonly already: number;
  /** Numbers for which no composite was good enough. */
  readonly skipped: number;
  readonly meanShare: number;
  readonly meanRmse: number;
  /** Left out before anything was made, by reason. */
  readonly leftOut: Counts;
  /** Pictures that could not be used, in words. */
  readonly unusable: readonly string[];
  readonly threads: number;
  readonly seconds: number;
  readonly perSecond: number;
}

const isMade = (entry: Entry): entry is MadeEntry & Entry => !("skipped" in entry);

export function countsOf(entries: readonly Entry[]): SynthCounts {
  const made = entries.filter(isMade);
  const kindOf = ({ mask }: MadeEntry): string =>
    mask.startsWith("annotation ") ? "annotations" : ["region", "shape"].includes(mask) ? `${mask}s` : "cutouts";
  return {
    transforms: tally(made.map(({ transform }) => [transform, 1])),
    masks: tally(made.map((entry) => [kindOf(entry), 1])),
    rejected: tally(entries.flatMap(({ rejected = {} }) => Object.entries(rejected))),
  };
}

export function summarize(
  entries: readonly Entry[],
  { spec, photographs, leftOut }: OpenedSources,
  course: { readonly asked: number; readonly already: number; readonly threads: number; readonly seconds: number },
): SynthSummary {
  const made = entries.filter(isMade);
  const mean = (of: (entry: MadeEntry) => number): number =>
    made.reduce((sum, entry) => sum + of(entry), 0) / Math.max(1, made.length);
  const { asked, already, threads, seconds } = course;
  return {
    photographs,
    subjects: spec.subjects.length,
    cutouts: spec.cutouts.length,
    asked,
    composites: made.length,
    train: made.filter(({ split }) => split === "train").length,
    val: made.filter(({ split }) => split === "val").length,
    already,
    skipped: entries.length - made.length,
    meanShare: mean(({ share }) => share),
    meanRmse: mean(({ rmse }) => rmse),
    leftOut,
    unusable: [...new Set(entries.flatMap(({ unusable = [] }) => unusable))],
    threads,
    seconds,
    perSecond: (entries.length - already) / seconds,
  };
}

const listed = (counts: Counts): string =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([what, count]) => `${count} ${what}`)
    .join(", ") || "none";

export function summaryLines(
  result: SynthSummary &
    SynthCounts & { readonly out: string; readonly outcome: string; readonly contactSheet: string | null },
): string[] {
  const { out, outcome, composites, asked, train, val, photographs, skipped, leftOut, unusable } = result;
  const lines = [
    `${out}: ${outcome}, ${composites} of ${asked} composites of ${photographs} photographs: ${train} to train on, ${val} to validate on`,
    `masks: ${listed(result.masks)}; they cover ${(100 * result.meanShare).toFixed(1)} % on average`,
    `transforms: ${listed(result.transforms)}; RMSE of the regions ${result.meanRmse.toFixed(1)} on average`,
    `attempts not good enough: ${listed(result.rejected)}`,
  ];
  if (skipped > 0) lines.push(`left open, as nothing was good enough: ${skipped}`);
  if (Object.keys(leftOut).length > 0) lines.push(`left out: ${listed(leftOut)}`);
  for (const message of unusable.slice(0, 10)) lines.push(`unusable: ${message}`);
  if (unusable.length > 10) lines.push(`unusable: ${unusable.length - 10} more (see the manifest)`);
  lines.push(`${result.perSecond.toFixed(1)} composites a second, ${result.threads} threads`);
  if (outcome === "interrupted") lines.push("go on by saying the same again");
  if (result.contactSheet !== null) lines.push(`to look at: ${result.contactSheet}`);
  return lines;
}
