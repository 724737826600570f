/** One job in every engine: the outputs compared with this engine's first, then rounds in which each has its turn. */
import type { Outputs, Readiness, Turn } from "./engine.js";
import type { Job } from "./jobs.js";

export interface EngineHandle {
  readonly name: string;
  /** @throws Error saying why the engine cannot do the job */
  prepare(job: Job): Promise<Readiness>;
  /** @returns milliseconds, a run each */
  run(turn: Turn): Promise<readonly number[]>;
  stop(): void;
}

/** Of what the other engines give against what this one gives, over this one's largest value. */
export const MAX_RELATIVE_ERROR = 1e-4;
/** A turn repeats a run until this much time has passed, so that fast engines are not measured by one sample. */
const TURN: Turn = { least: 1, most: 15, ms: 1500 };

export interface Quartiles {
  readonly median: number;
  readonly p25: number;
  readonly p75: number;
}

export interface EngineRow {
  readonly engine: string;
  readonly version: string;
  /** Null for this engine, which the others are compared with. */
  readonly relativeError: number | null;
  readonly lossRelativeError: number | null;
  readonly drivers: readonly string[];
  /** The median run of each round, milliseconds. */
  readonly rounds: readonly number[];
  readonly ms: Quartiles;
  /** Effective: of the plain algorithm. */
  readonly gflops: number;
  /** This engine's time is 1; taken round by round. */
  readonly ratio: Quartiles;
}

export interface SkippedRow {
  readonly engine: string;
  readonly version: string | null;
  readonly skipped: string;
}

export interface JobResult {
  readonly job: string;
  readonly adapter: string;
  readonly gflop: number;
  readonly rows: readonly (EngineRow | SkippedRow)[];
}

interface Ready {
  readonly engine: EngineHandle;
  readonly version: string;
  readonly drivers: readonly string[];
  readonly relativeError: number | null;
  readonly lossRelativeError: number | null;
  readonly rounds: number[];
}

/** @param engines this engine first @throws Error when this engine itself fails */
export async function measure(
  job: Job,
  engines: readonly EngineHandle[],
  rounds: number,
  note: (line: string) => void,
): Promise<JobResult> {
  const [own, ...others] = engines;
  if (!own) throw new Error("no engine to measure");
  const first = await own.prepare(job);
  note(`  ${own.name} is ready`);
  const { version, drivers, adapter = "unknown", flops = 0 } = first;
  const running: Ready[] = [
    { engine: own, version, drivers, relativeError: null, lossRelativeError: null, rounds: [] },
  ];
  const skipped: SkippedRow[] = [];
  for (const engine of others) {
    try {
      running.push(await checked(job, engine, first.outputs));
      note(`  ${engine.name} agrees to ${running.at(-1)?.relativeError?.toExponential(1)}`);
    } catch (error) {
      skipped.push({ engine: engine.name, version: null, skipped: messageOf(error) });
      note(`  ${engine.name}: ${messageOf(error)}`);
      engine.stop();
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const one of [...running]) {
      try {
        one.rounds.push(quantile(await one.engine.run(TURN), 0.5));
      } catch (error) {
        if (one.engine === own) throw error;
        running.splice(running.indexOf(one), 1);
        skipped.push({ engine: one.engine.name, version: one.version, skipped: messageOf(error) });
        one.engine.stop();
      }
    }
    note(`  round ${round + 1} of ${rounds}`);
  }
  const baseline = running[0]?.rounds ?? [];
  const rows = running.map(({ engine, rounds: ms, ...rest }): EngineRow => {
    const times = quartiles(ms);
    return {
      engine: engine.name,
      ...rest,
      rounds: ms.map(rounded),
      ms: times,
      gflops: rounded(flops / times.median / 1e6),
      ratio: quartiles(ms.map((one, i) => one / (baseline[i] ?? Number.NaN))),
    };
  });
  return { job: job.name, adapter, gflop: rounded(flops / 1e9), rows: [...rows, ...skipped] };
}

/** Prepares an engine. @throws Error where its results are not this engine's */
async function checked(job: Job, engine: EngineHandle, expected: Outputs): Promise<Ready> {
  const { version, drivers, outputs } = await engine.prepare(job);
  const relativeError = relative(outputs.y, expected.y);
  const lossRelativeError =
    expected.loss === undefined ? null : Math.abs((outputs.loss ?? Number.NaN) - expected.loss) / expected.loss;
  for (const [what, error] of [
    ["output", relativeError],
    ["loss", lossRelativeError ?? 0],
  ] as const) {
    if (!(error <= MAX_RELATIVE_ERROR)) {
      throw new Error(`its ${what} differs from this engine's by ${error.toExponential(1)}, so it is not timed`);
    }
  }
  return { engine, version, drivers, relativeError, lossRelativeError, rounds: [] };
}

/** The largest difference over the largest expected value; infinite where lengths differ or a value is not a number. */
function relative(got: Float32Array, expected: Float32Array): number {
  if (got.length !== expected.length || got.length === 0) return Number.POSITIVE_INFINITY;
  let [difference, largest] = [0, 0];
  expected.forEach((value, i) => {
    const error = Math.abs(value - (got[i] ?? Number.NaN));
    difference = Math.max(difference, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
    largest = Math.max(largest, Math.abs(value));
  });
  return difference / largest;
}

/** Between the two nearest values where a quantile falls between them. */
function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = q * (sorted.length - 1);
  const [below = Number.NaN, above = Number.NaN] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (place - Math.floor(place)) * (above - below);
}

const quartiles = (values: readonly number[]): Quartiles => ({
  median: rounded(quantile(values, 0.5)),
  p25: rounded(quantile(values, 0.25)),
  p75: rounded(quantile(values, 0.75)),
});

/** To four digits: more is noise, and makes results hard to compare by eye. */
const rounded = (value: number): number => Number(value.toPrecision(4));

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
