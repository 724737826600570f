/** Order statistics of timings. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly p95: number;
  /** The distance from the lower to the upper quartile as a share of the median: how far to trust the median. */
  readonly spread: number;
  readonly count: number;
}

/** Quantiles are those of the sorted samples, interpolated between neighbours. */
export function summarize(samples: readonly number[]): Summary {
  const sorted = [...samples].sort((a, b) => a - b);
  const quantile = (q: number): number => {
    const at = q * (sorted.length - 1);
    const [low = Number.NaN, high = low] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
    return low + (high - low) * (at - Math.floor(at));
  };
  const median = quantile(0.5);
  return {
    median,
    min: quantile(0),
    p95: quantile(0.95),
    spread: median > 0 ? (quantile(0.75) - quantile(0.25)) / median : 0,
    count: sorted.length,
  };
}

export const medianOf = (samples: readonly number[]): number => summarize(samples).median;

export interface Budget {
  /** Stops after this many milliseconds, but not before `least` samples. */
  readonly ms: number;
  readonly least: number;
  readonly most: number;
}

/** Repeats `sample` within a budget. */
export async function collect(sample: () => Promise<number>, { ms, least, most }: Budget): Promise<number[]> {
  const samples: number[] = [];
  const end = performance.now() + ms;
  while (samples.length < least || (samples.length < most && performance.now() < end)) samples.push(await sample());
  return samples;
}
