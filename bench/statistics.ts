/** Order statistics of timings. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly p95: number;
  readonly count: number;
}

export function summarize(samples: readonly number[]): Summary {
  const sorted = [...samples].sort((a, b) => a - b);
  const quantile = (q: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
  return { median: quantile(0.5), min: quantile(0), p95: quantile(0.95), count: sorted.length };
}

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
