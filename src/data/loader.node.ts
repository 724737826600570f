/**
 * Batches for training: always a few ahead of the GPU, the same bits for the same seed and position, whatever the number
 * of threads. Which examples a batch holds, and how an epoch ends: see order.ts.
 */
import { InputError } from "../errors.js";
import { hashKeys } from "../random.js";
import type { Sample } from "./augment.js";
import type { Entry } from "./dataset.js";
import {
  augmentationSeed,
  batchesPerEpoch,
  type DataPosition,
  EpochOrders,
  nextPosition,
  startOfBatch,
} from "./order.js";
import { Prefetch } from "./prefetch.js";
import { SamplePool, type SamplePoolOptions } from "./sample_pool.node.js";
import type { Preparation } from "./sample_reader.node.js";
import type { Split, Subject, SynthSpec } from "./synth/spec.js";

/** Composites that are made as they are asked for: no two places of a training see the same. */
export interface SynthSource {
  readonly spec: SynthSpec;
  /** Composites an epoch. */
  readonly perEpoch: number;
  /** Composites to validate on, of the subjects set aside; always the same. 0 where others are given. */
  readonly validation: number;
}

export interface LoaderOptions extends Omit<SamplePoolOptions, "synth"> {
  /** To train on; at least one, unless they are made. */
  readonly train: readonly Entry[];
  readonly val?: readonly Entry[] | undefined;
  readonly synth?: SynthSource | undefined;
  /** Side of the square pictures. */
  readonly size: number;
  /** Pictures a batch. */
  readonly batch: number;
  readonly seed: number;
  /** Random crops, flips and colours. Default true. */
  readonly augment?: boolean | undefined;
  /** A picture that cannot be read is an error. By default the next one takes its place. */
  readonly strict?: boolean | undefined;
  /** Told once of every picture that is left out. */
  readonly onSkipped?: ((skipped: SkippedPicture) => void) | undefined;
  /** Batches kept ready. Default 2. */
  readonly ahead?: number | undefined;
}

export interface SkippedPicture {
  readonly name: string;
  readonly message: string;
  /** Pictures left out so far, this one counted in. */
  readonly count: number;
}

export interface Batch extends DataPosition {
  /** [batch, size, size, 4]: RGB in [0, 1] and the mask. */
  readonly x: Float32Array;
  /** [batch, size, size, 3] */
  readonly target: Float32Array;
  readonly names: readonly string[];
  /** Where the batch after this one begins. */
  readonly next: DataPosition;
}

export class Loader {
  readonly stepsPerEpoch: number;
  /** The validation pictures as they are, at the training's size. */
  readonly validation: { readonly length: number; load(index: number): Promise<Sample> };
  private readonly pool: SamplePool;
  private readonly examples: Examples;
  private readonly unreadable = new Set<Entry>();

  /** @throws InputError where there is nothing to train on */
  constructor(private readonly options: LoaderOptions) {
    const { batch, synth } = options;
    this.examples = synth ? syntheticExamples(synth, options) : fileExamples(options);
    const { train, val, length } = this.examples;
    if (train.length === 0) throw new InputError("there are no pictures to train on");
    this.pool = new SamplePool({ ...options, synth: synth?.spec });
    this.stepsPerEpoch = batchesPerEpoch(length, batch);
    const ahead = new Prefetch(val.length, this.pool.threads, (index) =>
      this.read(val, (skip) => index + skip, this.examples.validation(index)),
    );
    this.validation = { length: val.length, load: (index) => ahead.get(index) };
  }

  /** To train on. */
  get pictures(): number {
    return this.examples.length;
  }

  /** 0 where pictures are read in this thread. */
  get threads(): number {
    return this.pool.threads;
  }

  /**
   * The batches from a position on, without end. Once the reader returns, no more are begun.
   * @throws InputError for a picture that cannot be read, if `strict`, or where none can; AbortedError after `close`
   */
  async *batches(from: DataPosition): AsyncGenerator<Batch, never> {
    const { batch, ahead = 2 } = this.options;
    const { length } = this.examples;
    const ready: Promise<Batch>[] = [];
    for (let position = startOfBatch(from, length, batch); ; ) {
      while (ready.length <= ahead) {
        const next = nextPosition(position, length, batch);
        const made = this.makeBatch(position, next);
        made.catch(() => {}); // told when its turn comes
        ready.push(made);
        position = next;
      }
      yield await (ready.shift() as Promise<Batch>);
    }
  }

  /** Ends the threads at once; what is under way rejects with an AbortedError. */
  async close(): Promise<void> {
    await this.pool.close();
  }

  private async makeBatch(position: DataPosition, next: DataPosition): Promise<Batch> {
    const { batch, size } = this.options;
    const places = Array.from({ length: batch }, (_, i) => ({ ...position, index: position.index + i }));
    const samples = await Promise.all(places.map((place) => this.readPlace(place)));
    const area = size * size;
    const x = new Float32Array(batch * area * 4);
    const target = new Float32Array(batch * area * 3);
    samples.forEach((sample, n) => {
      stack(sample, x.subarray(n * area * 4, (n + 1) * area * 4));
      target.set(sample.target.data, n * area * 3);
    });
    return { ...position, x, target, names: samples.map(({ name }) => name), next };
  }

  /** The example at a position. Its variation hangs on the position alone, also where another example takes its place. */
  private readPlace(place: DataPosition): Promise<Sample> {
    const { train, at, variation } = this.examples;
    return this.read(train, (skip) => at({ ...place, index: place.index + skip }), variation(place));
  }

  /** @param at which example is tried after `skip` others */
  private async read(
    entries: readonly Entry[],
    at: (skip: number) => number,
    preparationOf: (index: number) => Preparation,
  ): Promise<Sample> {
    let first: InputError | null = null;
    for (let skip = 0; skip < MOST_ROUNDS * entries.length; skip++) {
      const index = at(skip) % entries.length;
      const entry = entries[index] as Entry;
      if (this.unreadable.has(entry)) continue;
      const preparation = preparationOf(index);
      try {
        return await this.pool.read(preparation.kind === "synthetic" ? preparation.subject : index, entry, preparation);
      } catch (error) {
        if (this.options.strict || !(error instanceof InputError)) throw error;
        first ??= error;
        this.leaveOut(entry, error.message);
      }
    }
    throw new InputError(`none of the ${entries.length} pictures can be read${first ? `: ${first.message}` : ""}`);
  }

  private leaveOut(entry: Entry, message: string): void {
    if (this.unreadable.has(entry)) return; // two places of one batch may have tried it at once
    this.unreadable.add(entry);
    this.options.onSkipped?.({ name: entry.name, message, count: this.unreadable.size });
  }
}

/** Going on from a place may meet an example twice before it meets all. */
const MOST_ROUNDS = 2;

/** What there is to read, and what is made of it where. */
interface Examples {
  readonly train: readonly Entry[];
  readonly val: readonly Entry[];
  /** Of an epoch. */
  readonly length: number;
  /** Which of `train` is seen at a place. */
  readonly at: (place: DataPosition) => number;
  /** What is made of the example `index` that is seen at a place. */
  readonly variation: (place: DataPosition) => (index: number) => Preparation;
  /** The same of the validation's `place`-th. */
  readonly validation: (place: number) => (index: number) => Preparation;
}

function fileExamples({ train, val = [], size, seed, augment = true }: LoaderOptions): Examples {
  const plain: Preparation = { kind: "plain", size };
  const orders = new EpochOrders(train.length, seed);
  return {
    train,
    val,
    length: train.length,
    at: (place) => orders.at(place),
    variation: (place) => () => (augment ? { kind: "augmented", size, seed: augmentationSeed(seed, place) } : plain),
    validation: () => () => plain,
  };
}

/** Salts. */
const VALIDATION = 3;
const SUBJECTS = 4;

/** Subjects are gone through in random order, each once before any twice, whatever an epoch's length. */
function syntheticExamples(
  { spec, perEpoch, validation }: SynthSource,
  { val = [], size, seed, augment = true }: LoaderOptions,
): Examples {
  const numbers = (split: Split): number[] => spec.subjects.flatMap((one, i) => (one.split === split ? [i] : []));
  const [train, aside] = [numbers("train"), numbers("val")];
  const entryOf = (subject: number): Entry => {
    const { name, files } = spec.subjects[subject] as Subject;
    const [path = ""] = files;
    return { name, composite: path, mask: path, target: path };
  };
  const orders = new EpochOrders(train.length, hashKeys(SUBJECTS, seed));
  const made =
    (subjects: readonly number[], seedOf: number, recolour: boolean) =>
    (index: number): Preparation => ({
      kind: "synthetic",
      subject: subjects[index % subjects.length] as number,
      seed: seedOf,
      recolour,
    });
  const asideEntries = aside.map(entryOf);
  const count = aside.length === 0 ? 0 : validation;
  return {
    train: train.map(entryOf),
    val: count === 0 ? val : Array.from({ length: count }, (_, i) => asideEntries[i % aside.length] as Entry),
    length: perEpoch,
    at: ({ epoch, index }) => {
      const place = epoch * perEpoch + index;
      return orders.at({ epoch: Math.floor(place / train.length), index: place % train.length });
    },
    variation: (place) => made(train, augmentationSeed(seed, place), augment),
    validation: (place) =>
      count === 0 ? () => ({ kind: "plain", size }) : made(aside, hashKeys(VALIDATION, seed, place), false),
  };
}

function stack({ composite, mask }: Sample, x: Float32Array): void {
  const rgb = composite.data;
  for (let i = 0, s = 0, p = 0; i < mask.data.length; i++, s += 3, p += 4) {
    x[p] = rgb[s] as number;
    x[p + 1] = rgb[s + 1] as number;
    x[p + 2] = rgb[s + 2] as number;
    x[p + 3] = mask.data[i] as number;
  }
}
