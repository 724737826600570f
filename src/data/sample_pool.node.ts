/** Examples prepared in threads: read from files, or made as they are asked for. */
import type { Sample } from "./augment.js";
import type { Entry } from "./dataset.js";
import { type Preparation, SampleReader } from "./sample_reader.node.js";
import type { SynthSpec } from "./synth/spec.js";
import { WorkerPool, type WorkerPoolOptions } from "./worker_pool.node.js";

export interface SamplePoolOptions extends WorkerPoolOptions {
  /** Bytes of pictures to remember, in all threads together. Default 256 MiB. */
  readonly cacheBytes?: number | undefined;
  /** What synthetic examples are made from. */
  readonly synth?: SynthSpec | undefined;
}

/** What a thread of examples is told at its start. */
export interface SampleThread {
  readonly role: "samples";
  readonly cacheBytes: number;
  readonly synth: SynthSpec | null;
}

export interface SampleTask {
  readonly entry: Entry;
  readonly preparation: Preparation;
}

const CACHE_BYTES = 256 << 20;

export class SamplePool {
  private readonly pool: WorkerPool<SampleTask, { readonly sample: Sample }>;

  constructor(options: SamplePoolOptions = {}) {
    const { cacheBytes = CACHE_BYTES, synth = null } = options;
    this.pool = new WorkerPool(
      options,
      (threads): SampleThread => ({ role: "samples", cacheBytes: cacheBytes / Math.max(1, threads), synth }),
      () => sampleHandler({ role: "samples", cacheBytes, synth }),
    );
  }

  /** 0 where all is done in this thread. */
  get threads(): number {
    return this.pool.threads;
  }

  /**
   * @param key a number of the example's own
   * @throws InputError where the example cannot be read; AbortedError after `close`
   */
  async read(key: number, entry: Entry, preparation: Preparation): Promise<Sample> {
    return (await this.pool.run(key, { entry, preparation })).sample;
  }

  /** Ends the threads at once; what is under way rejects with an AbortedError. */
  close(): Promise<void> {
    return this.pool.close();
  }
}

export function sampleHandler({ cacheBytes, synth }: SampleThread): (task: SampleTask) => Promise<{ sample: Sample }> {
  const reader = new SampleReader(cacheBytes, synth);
  return async ({ entry, preparation }) => ({ sample: await reader.read(entry, preparation) });
}

/** The memory that can be handed over instead of copied. */
export const buffersOf = ({ composite, mask, target }: Sample): ArrayBuffer[] =>
  [composite, mask, target].map(({ data }) => data.buffer as ArrayBuffer);
