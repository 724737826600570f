/**
 * Examples prepared in threads beside the one that drives the GPU. The threads run `loader_worker.js`, which the build
 * puts beside this code; where it is not there (the sources themselves are run), all is done in this thread.
 *
 * An example always goes to the same thread, so that what a thread remembers is of use.
 */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { AbortedError, OutOfMemoryError } from "../errors.js";
import type { Sample } from "./augment.js";
import type { Entry } from "./dataset.js";
import { answer, errorOf, type SampleReply, type SampleRequest } from "./sample_messages.node.js";
import { type Preparation, SampleReader } from "./sample_reader.node.js";

export interface SamplePoolOptions {
  /** Threads; 0 prepares in this one. Default: one fewer than the processor runs, at most 8. */
  readonly threads?: number | undefined;
  /** Bytes of pictures to remember, in all threads together. Default 256 MiB. */
  readonly cacheBytes?: number | undefined;
  /** The threads' script, where it does not lie beside this code. */
  readonly script?: URL | undefined;
}

const MOST_THREADS = 8;
const CACHE_BYTES = 256 << 20;

export class SamplePool {
  /** 0 where all is done in this thread. */
  readonly threads: number;
  private readonly lanes: readonly Lane[];

  constructor(options: SamplePoolOptions = {}) {
    const script = options.script ?? new URL("./loader_worker.js", import.meta.url);
    const wanted = options.threads ?? Math.min(MOST_THREADS, Math.max(1, availableParallelism() - 1));
    this.threads = existsSync(fileURLToPath(script)) ? wanted : 0;
    const cacheBytes = (options.cacheBytes ?? CACHE_BYTES) / Math.max(1, this.threads);
    this.lanes =
      this.threads === 0
        ? [new LocalLane(cacheBytes)]
        : Array.from({ length: this.threads }, () => new ThreadLane(script, cacheBytes));
  }

  /**
   * @param key a number of the example's own
   * @throws InputError where the example cannot be read; AbortedError after `close`
   */
  read(key: number, entry: Entry, preparation: Preparation): Promise<Sample> {
    return (this.lanes[key % this.lanes.length] as Lane).read(entry, preparation);
  }

  /** Ends the threads at once; what is under way rejects with an AbortedError. */
  async close(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.close()));
  }
}

/** Requests that go one after another, and their answers. */
abstract class Lane {
  private readonly pending = new Map<number, { resolve: (sample: Sample) => void; reject: (error: Error) => void }>();
  private failure: Error | null = null;
  private lastId = 0;

  read(entry: Entry, preparation: Preparation): Promise<Sample> {
    if (this.failure) return Promise.reject(this.failure);
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.send({ id, entry, preparation });
    });
  }

  async close(): Promise<void> {
    this.fail(new AbortedError("the loader of pictures was closed"));
    await this.end();
  }

  protected abstract send(request: SampleRequest): void;
  protected abstract end(): Promise<void>;

  protected isWanted(id: number): boolean {
    return this.pending.has(id);
  }

  protected settle(reply: SampleReply): void {
    const asked = this.pending.get(reply.id);
    this.pending.delete(reply.id);
    if ("sample" in reply) asked?.resolve(reply.sample);
    else asked?.reject(errorOf(reply.error));
  }

  /** Nothing more will come: neither what is pending nor what is asked for from now on. */
  protected fail(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.pending.values()) reject(this.failure);
    this.pending.clear();
  }
}

class ThreadLane extends Lane {
  /** Started by the first request: a set of few pictures does not need all. */
  private worker: Worker | null = null;

  constructor(
    private readonly script: URL,
    private readonly cacheBytes: number,
  ) {
    super();
  }

  protected override send(request: SampleRequest): void {
    this.worker ??= this.start();
    this.worker.postMessage(request);
  }

  protected override async end(): Promise<void> {
    await this.worker?.terminate();
  }

  private start(): Worker {
    const worker = new Worker(this.script, { workerData: { cacheBytes: this.cacheBytes } });
    worker.on("message", (reply: SampleReply) => this.settle(reply));
    worker.on("messageerror", (error) => this.fail(error));
    worker.on("error", (cause: NodeJS.ErrnoException) => {
      this.fail(
        cause.code === "ERR_WORKER_OUT_OF_MEMORY"
          ? new OutOfMemoryError("a thread that reads pictures ran out of memory", { cause })
          : new Error(`a thread that reads pictures failed: ${cause.message}`, { cause }),
      );
    });
    worker.on("exit", (code) =>
      this.fail(new Error(`a thread that reads pictures ended by itself (exit code ${code})`)),
    );
    return worker;
  }
}

class LocalLane extends Lane {
  private readonly reader: SampleReader;
  private last = Promise.resolve();

  constructor(cacheBytes: number) {
    super();
    this.reader = new SampleReader(cacheBytes);
  }

  protected override send(request: SampleRequest): void {
    this.last = this.last.then(async () => {
      if (this.isWanted(request.id)) this.settle(await answer(this.reader, request));
    });
  }

  protected override async end(): Promise<void> {}
}
