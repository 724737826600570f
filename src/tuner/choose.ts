/** Which of several timed variants to take: a pure rule, so that it can be tested without a clock. */
import type { TuningEntry } from "../tuning/table.js";

/** Milliseconds by round; a round that a variant sat out is missing at the end. */
export type Samples = ReadonlyMap<string, readonly number[]>;

/** The default stays unless another takes less than this share of its time. */
export const WORTHWHILE = 0.96;

export const quantile = (values: readonly number[], q: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
};
export const median = (values: readonly number[]): number => quantile(values, 0.5);

/**
 * The default, unless another is faster by more than noise: in the median of the ratios round by round, which a machine
 * that slows down for a while leaves as they are, and in three rounds of four.
 * @param fallback the default's name; without samples of it (it computed wrongly) the fastest is taken
 * @returns null where nothing was timed
 */
export function choose(fallback: string, samples: Samples): TuningEntry | null {
  const timed = [...samples].filter(([, times]) => times.length > 0);
  const base = samples.get(fallback) ?? [];
  const byTime = timed.map(([name, times]) => ({ name, times, ms: median(times) })).sort((a, b) => a.ms - b.ms);
  const worthwhile = byTime.filter(({ name, times }) => {
    if (name === fallback || base.length === 0) return true;
    const ratios = times.slice(0, base.length).map((ms, i) => ms / (base[i] ?? Number.NaN));
    return median(ratios) < WORTHWHILE && quantile(ratios, 0.75) < 1;
  });
  const [best] = worthwhile;
  if (!best) return null;
  const defaultMs = base.length > 0 ? round(median(base)) : null;
  return { variant: best.name, ms: round(best.ms), default: fallback, defaultMs };
}

/** Four digits tell all that a timing knows. */
const round = (ms: number): number => Number(ms.toPrecision(4));
