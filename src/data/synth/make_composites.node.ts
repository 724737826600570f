/** The loop of `s2am synth`: which subject each composite is of, many under way at once, lines in order. */
import { InputError } from "../../errors.js";
import { hashKeys } from "../../random.js";
import { EpochOrders } from "../order.js";
import type { CompositePool, CompositeTask } from "./composite_pool.node.js";
import type { Entry } from "./manifest.js";
import type { Making, OutputFolder } from "./output_folder.node.js";
import type { Split } from "./spec.js";

export interface MakeOptions extends Making {
  readonly count: number;
  readonly folder: OutputFolder;
  /** Of composites that are there. */
  readonly entries: readonly Entry[];
  readonly pool: CompositePool;
  readonly onProgress?: (done: number) => void;
  /** Ends after the composites under way. */
  readonly signal?: AbortSignal;
}

/** Subjects that are tried for one composite. */
const SUBJECTS_TRIED = 8;
/** With so many in a row for which nothing was good enough, something is wrong with all. */
const MOST_SKIPPED = 40;
/** Composites under way for each thread: pictures of one subject may be slower than others. */
const AHEAD = 16;
/** Salts. */
const ORDER = 11;
const SEED = 12;

/**
 * @returns all entries, those that were there before too
 * @throws InputError where nothing can be made, or the disk is full; what is written then is whole
 */
export async function makeComposites(options: MakeOptions): Promise<readonly Entry[]> {
  const { count, folder, pool, onProgress, signal } = options;
  const plan = new Plan(options);
  const entries = [...options.entries];
  const underWay: Promise<{ readonly entry: Entry }>[] = [];
  let next = entries.length;
  let skippedInARow = 0;
  const start = (): void => {
    const task = plan.task(next++);
    const made = pool.run(task.subjects[0] as number, task);
    made.catch(() => {}); // told when its turn comes
    underWay.push(made);
  };
  onProgress?.(entries.length);
  while (entries.length < count) {
    while (!signal?.aborted && next < count && underWay.length < AHEAD * Math.max(1, pool.threads)) start();
    const first = underWay.shift();
    if (!first) break;
    const { entry } = await first;
    await folder.append([entry]);
    entries.push(entry);
    skippedInARow = "skipped" in entry ? skippedInARow + 1 : 0;
    if (skippedInARow === MOST_SKIPPED) throw hopeless(entries);
    onProgress?.(entries.length);
  }
  if (count > 0 && entries.length === count && entries.every((entry) => "skipped" in entry)) throw hopeless(entries);
  return entries;
}

function hopeless(entries: readonly Entry[]): InputError {
  const message = entries.flatMap(({ unusable = [] }) => unusable)[0];
  const reasons = Object.entries(tally(entries.flatMap(({ rejected = {} }) => Object.entries(rejected))))
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${count} ${reason}`);
  const why = [...(message === undefined ? [] : [message]), ...reasons].join("; ");
  return new InputError(`no composite is good enough, of many: ${why}`);
}

export function tally(pairs: readonly (readonly [string, number])[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [key, count] of pairs) counts[key] = (counts[key] ?? 0) + count;
  return counts;
}

class Plan {
  private readonly orders: Readonly<Record<Split, EpochOrders>>;
  private readonly numbers: Readonly<Record<Split, readonly number[]>>;

  constructor(private readonly making: Making) {
    const { spec, seed } = making;
    const of = (split: Split): number[] => spec.subjects.flatMap((one, i) => (one.split === split ? [i] : []));
    this.numbers = { train: of("train"), val: of("val") };
    const order = (split: Split): EpochOrders =>
      new EpochOrders(this.numbers[split].length, hashKeys(ORDER, seed, split === "val" ? 1 : 0));
    this.orders = { train: order("train"), val: order("val") };
  }

  /** Every subject once, then every subject again: each hangs on the composite's number alone, not on how many there are. */
  task(index: number): CompositeTask {
    const { seed } = this.making;
    const before = this.valBefore(index);
    const split: Split = this.valBefore(index + 1) > before ? "val" : "train";
    const place = split === "val" ? before : index - before;
    const { length } = this.numbers[split];
    const tried = Math.min(SUBJECTS_TRIED, length);
    const subjects = Array.from({ length: tried }, (_, k) => {
      const at = this.orders[split].at({ epoch: Math.floor(place / length), index: (place + k) % length });
      return this.numbers[split][at] as number;
    });
    return { index, split, subjects, seeds: subjects.map((_, k) => hashKeys(SEED, seed, index, k)) };
  }

  /** Of the first so many composites, those for validation: spread evenly. */
  private valBefore(index: number): number {
    const { valShare } = this.making;
    if (this.numbers.val.length === 0) return 0;
    if (this.numbers.train.length === 0) return index;
    return Math.floor(index * valShare + 1e-9);
  }
}
