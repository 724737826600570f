/**
 * Times every accepting variant of every problem of a graph, and keeps what was the fastest. A variant that computes
 * wrongly on this adapter is reported and never chosen.
 */
import { AbortedError, OutOfMemoryError } from "../errors.js";
import type { Runtime } from "../graph/runtime.js";
import { select } from "../graph/select.js";
import { suites } from "../kernels/index.js";
import type { AnySuite } from "../kernels/suite.js";
import { adapterIdentity, sameAdapter } from "../tuning/identity.js";
import { emptyTuning, type TuningEntry, type TuningFile, withEntry } from "../tuning/table.js";
import { ENGINE_VERSION } from "../version.js";
import { choose, median } from "./choose.js";
import { candidatesOf, problemsOf, type TunableGraph, type TunableProblem } from "./problems.js";
import { type Prepared, ProblemRig } from "./rig.js";
import { Stopwatch } from "./stopwatch.js";

export interface TuneOptions {
  /** To go on from: problems that this engine has in it are left out. */
  readonly table?: TuningFile | null;
  /** Times those too. */
  readonly again?: boolean;
  /** Milliseconds of timed runs a problem, all variants together. Default 1000. */
  readonly budgetMs?: number;
  /** Ends the tuning after the run under way; what was tuned is in the result. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TuneProgress) => void) | undefined;
  /** Called after each problem with its result and the table so far, to be kept in case of a crash. */
  readonly onResult?: ((result: TuneResult, table: TuningFile) => void | Promise<void>) | undefined;
  /** Tests give ones of their own. */
  readonly suites?: readonly AnySuite[];
}

export interface TuneProgress {
  readonly stage: "tuning";
  readonly done: number;
  readonly total: number;
}

export interface TuneResult {
  readonly key: string;
  /** How often a run of the graph computes it. */
  readonly count: number;
  /** Null where nothing that ran computed right. */
  readonly entry: TuningEntry | null;
  /** Median milliseconds of all that were timed. */
  readonly timed: Readonly<Record<string, number>>;
  /** Not chosen, and why: a wrong element, no room, or hopelessly slow by its rate on smaller problems. */
  readonly rejected: readonly { readonly variant: string; readonly why: "wrong" | "memory" | "slow"; detail: string }[];
}

export interface TuneSummary {
  readonly table: TuningFile;
  readonly results: readonly TuneResult[];
  /** Problems whose entries were there already. */
  readonly skipped: number;
  /** Problems that were not reached. */
  readonly left: number;
}

const DEFAULT_BUDGET_MS = 1000;
const MOST_ROUNDS = 25;
const LEAST_ROUNDS = 3;
/** A variant that takes so many times the best one's time is not timed further; a second sample may save it. */
const HOPELESS = 1.5;
const BEYOND_DOUBT = 10;
/** Nor tried at all where its best rate on smaller problems foretells so many times the best one's. */
const FORETOLD = 4;
/** Rates are taken from runs of this length on: shorter ones tell of launching. */
const RATED_MS = 1;

/** @param graphs of one network, or of one training step */
export async function tune(
  runtime: Runtime,
  graphs: readonly TunableGraph[],
  options: TuneOptions = {},
): Promise<TuneSummary> {
  const tuner = new Tuner(runtime, options);
  try {
    return await tuner.run(problemsOf(graphs));
  } finally {
    tuner.dispose();
  }
}

class Tuner {
  private readonly stopwatch: Stopwatch;
  private readonly suites: ReadonlyMap<string, AnySuite>;
  /** FLOP a millisecond, the best of a variant so far, by `op variant`. */
  private readonly rates = new Map<string, number>();

  constructor(
    private readonly runtime: Runtime,
    private readonly options: TuneOptions,
  ) {
    this.stopwatch = new Stopwatch(runtime);
    this.suites = new Map((options.suites ?? suites).map((suite) => [suite.op.name, suite]));
  }

  dispose(): void {
    this.stopwatch.dispose();
  }

  async run(problems: readonly TunableProblem[]): Promise<TuneSummary> {
    const { signal, again = false, onProgress, onResult } = this.options;
    const given = this.startingTable();
    let table = given;
    const known = (key: string): boolean => !again && given.engine === ENGINE_VERSION && key in given.entries;
    const choosable = problems.filter((one) => candidatesOf(one, this.runtime.capabilities).length > 1);
    const wanted = choosable.filter(({ key }) => !known(key));
    const results: TuneResult[] = [];
    onProgress?.({ stage: "tuning", done: 0, total: wanted.length });
    for (const problem of wanted) {
      if (signal?.aborted) break;
      const result = await this.tuneProblem(problem).catch((error: unknown) => {
        if (error instanceof AbortedError) return null;
        throw error;
      });
      if (!result) break;
      results.push(result);
      if (result.entry) table = withEntry(table, result.key, result.entry);
      await onResult?.(result, table);
      onProgress?.({ stage: "tuning", done: results.length, total: wanted.length });
    }
    return { table, results, skipped: choosable.length - wanted.length, left: wanted.length - results.length };
  }

  private startingTable(): TuningFile {
    const identity = adapterIdentity(this.runtime.device);
    const { table } = this.options;
    return table && sameAdapter(table.adapter, identity) ? { ...table, adapter: identity } : emptyTuning(identity);
  }

  private async tuneProblem(tunable: TunableProblem): Promise<TuneResult> {
    const { op, problem, key, count } = tunable;
    const suite = this.suites.get(op.name);
    if (!suite) throw new Error(`tune: no oracle of ${op.name}`);
    const { capabilities } = this.runtime;
    const fallback = select(op, problem, capabilities, undefined).name;
    // The default first: it tells what is hopeless.
    const candidates = candidatesOf(tunable, capabilities).sort(
      (a, b) => Number(b.name === fallback) - Number(a.name === fallback),
    );
    const samples = new Map<string, number[]>();
    const rejected: { variant: string; why: "wrong" | "memory" | "slow"; detail: string }[] = [];
    const prepared: Prepared[] = [];
    let rig: ProblemRig;
    try {
      rig = new ProblemRig(this.runtime, tunable, suite, this.stopwatch);
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
      rejected.push({ variant: fallback, why: "memory", detail: error.message });
      return { key, count, entry: null, timed: {}, rejected };
    }
    try {
      for (const variant of candidates) {
        this.checkAborted();
        const reject = (why: "wrong" | "memory" | "slow", detail: string): void =>
          void rejected.push({ variant: variant.name, why, detail });
        const foretold = this.foretell(tunable, variant.name);
        const best = Math.min(...[...samples.values()].map(median));
        if (foretold > FORETOLD * best && (capabilities.software || foretold > this.budgetMs)) {
          reject("slow", `about ${foretold.toFixed(0)} ms by its rate on smaller problems`);
          continue;
        }
        try {
          const ready = await rig.prepare(variant);
          prepared.push(ready);
          if (ready.worst <= 1) samples.set(variant.name, [await this.firstTime(ready, tunable, best)]);
          else reject("wrong", ready.detail);
        } catch (error) {
          if (!(error instanceof OutOfMemoryError)) throw error;
          reject("memory", error.message);
        }
      }
      await this.rounds(prepared, samples);
      const timed = Object.fromEntries([...samples].map(([name, times]) => [name, median(times)]));
      return { key, count, entry: choose(fallback, samples), timed, rejected };
    } finally {
      for (const one of prepared) one.dispose();
      rig.dispose();
    }
  }

  private get budgetMs(): number {
    return this.options.budgetMs ?? DEFAULT_BUDGET_MS;
  }

  private checkAborted(): void {
    if (this.options.signal?.aborted) throw new AbortedError("tune: aborted by the caller");
  }

  /**
   * On a CPU that poses as a GPU a variant's rate hardly changes with size, and compiling one costs a second or more. A
   * GPU's rises until the GPU is full, so there only what would take longer than the budget is left out.
   */
  private foretell({ op, flops }: TunableProblem, variant: string): number {
    const rate = this.rates.get(`${op.name} ${variant}`);
    return rate === undefined ? 0 : flops / rate;
  }

  /**
   * The first sample, in milliseconds a run; what a driver compiles late was paid by the check. One that would rule the
   * variant out is taken again, for the machine may have been busy.
   */
  private async firstTime(ready: Prepared, { op, flops }: TunableProblem, best: number): Promise<number> {
    const first = await ready.time(1);
    const doubtful = first > HOPELESS * best && first < BEYOND_DOUBT * best;
    const ms = doubtful ? Math.min(first, await ready.time(1)) : first;
    const name = `${op.name} ${ready.name}`;
    if (ms >= RATED_MS) this.rates.set(name, Math.max(this.rates.get(name) ?? 0, flops / ms));
    return ms;
  }

  /** Alternates between those that still have hope, the default always among them, until the budget is spent. */
  private async rounds(prepared: readonly Prepared[], samples: Map<string, number[]>): Promise<void> {
    const sound = prepared.filter(({ name }) => samples.has(name));
    const best = Math.min(...sound.map(({ name }) => median(samples.get(name) ?? [])));
    const hopeful = sound.filter(({ name }, i) => i === 0 || median(samples.get(name) ?? []) <= HOPELESS * best);
    if (hopeful.length < 2) return;
    const repeats = Math.max(1, Math.min(200, Math.ceil(this.stopwatch.leastMs / Math.max(best, 1e-3))));
    const end = performance.now() + this.budgetMs;
    for (const { name } of hopeful) samples.set(name, []);
    for (let round = 0; round < MOST_ROUNDS && (round < LEAST_ROUNDS || performance.now() < end); round++) {
      this.checkAborted();
      // Every other round backwards: what follows another's run in cache and clock is not always the same.
      for (const one of round % 2 === 0 ? hopeful : hopeful.toReversed()) {
        samples.get(one.name)?.push((await one.time(repeats)) / repeats);
      }
    }
  }
}
