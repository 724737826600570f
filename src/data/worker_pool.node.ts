/**
 * Work on pictures in threads beside the one that drives the GPU. The threads run `loader_worker.js`, which the build
 * puts beside this code; where it is not there (the sources themselves are run), all is done in this thread.
 *
 * Tasks of one key go to one thread, one after another, so that what a thread remembers is of use.
 */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { AbortedError, InputError, OutOfMemoryError, S2amError, UsageError } from "../errors.js";

export interface WorkerPoolOptions {
  /** Threads; 0 works in this one. Default: one fewer than the processor runs, at most 8. */
  readonly threads?: number | undefined;
  /** The threads' script, where it does not lie beside this code. */
  readonly script?: URL | undefined;
}

export type Worked<Result> = (Result | { readonly error: WireError }) & { readonly id: number };

/** Errors lose their class on the way between threads. */
interface WireError {
  readonly code: string;
  readonly message: string;
}

const MOST_THREADS = 8;

export class WorkerPool<Task extends object, Result extends object> {
  /** 0 where all is done in this thread. */
  readonly threads: number;
  private readonly lanes: readonly Lane<Task, Result>[];

  /**
   * @param dataOf what each of so many threads is told at its start
   * @param local what does the work in this thread; made when there are no others
   */
  constructor(
    options: WorkerPoolOptions,
    dataOf: (threads: number) => object,
    local: () => (task: Task) => Promise<Result>,
  ) {
    const script = options.script ?? new URL("./loader_worker.js", import.meta.url);
    const wanted = options.threads ?? Math.min(MOST_THREADS, Math.max(1, availableParallelism() - 1));
    this.threads = existsSync(fileURLToPath(script)) ? wanted : 0;
    const data = dataOf(this.threads);
    this.lanes =
      this.threads === 0
        ? [new LocalLane<Task, Result>(local())]
        : Array.from({ length: this.threads }, () => new ThreadLane<Task, Result>(script, data));
  }

  /**
   * @param key tasks of one key share a thread
   * @throws InputError where the task's files are at fault; AbortedError after `close`
   */
  run(key: number, task: Task): Promise<Result> {
    return (this.lanes[key % this.lanes.length] as Lane<Task, Result>).run(task);
  }

  /** Ends the threads at once; what is under way rejects with an AbortedError. */
  async close(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.close()));
  }
}

/** Does one task, whatever comes of it. */
export async function work<Task extends object, Result extends object>(
  handle: (task: Task) => Promise<Result>,
  { id, ...task }: Task & { readonly id: number },
): Promise<Worked<Result>> {
  try {
    return { ...(await handle(task as unknown as Task)), id };
  } catch (error) {
    const code = error instanceof S2amError ? error.code : "";
    const ours = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { error: { code, message: error instanceof S2amError ? error.message : ours }, id };
  }
}

function errorOf({ code, message }: WireError): Error {
  if (code === "INPUT") return new InputError(message);
  if (code === "USAGE") return new UsageError(message);
  return new Error(message);
}

/** Tasks that go one after another, and their results. */
abstract class Lane<Task extends object, Result extends object> {
  private readonly pending = new Map<number, { resolve: (result: Result) => void; reject: (error: Error) => void }>();
  private failure: Error | null = null;
  private lastId = 0;

  run(task: Task): Promise<Result> {
    if (this.failure) return Promise.reject(this.failure);
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.send({ ...task, id });
    });
  }

  async close(): Promise<void> {
    this.fail(new AbortedError("the loader of pictures was closed"));
    await this.end();
  }

  protected abstract send(task: Task & { readonly id: number }): void;
  protected abstract end(): Promise<void>;

  protected isWanted(id: number): boolean {
    return this.pending.has(id);
  }

  protected settle(worked: Worked<Result>): void {
    const asked = this.pending.get(worked.id);
    this.pending.delete(worked.id);
    if ("error" in worked) asked?.reject(errorOf(worked.error));
    else asked?.resolve(worked);
  }

  /** Nothing more will come: neither what is pending nor what is asked for from now on. */
  protected fail(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.pending.values()) reject(this.failure);
    this.pending.clear();
  }
}

class ThreadLane<Task extends object, Result extends object> extends Lane<Task, Result> {
  /** Started by the first task: a set of few pictures does not need all. */
  private worker: Worker | null = null;

  constructor(
    private readonly script: URL,
    private readonly data: object,
  ) {
    super();
  }

  protected override send(task: Task & { readonly id: number }): void {
    this.worker ??= this.start();
    this.worker.postMessage(task);
  }

  protected override async end(): Promise<void> {
    await this.worker?.terminate();
  }

  private start(): Worker {
    const worker = new Worker(this.script, { workerData: this.data });
    worker.on("message", (worked: Worked<Result>) => this.settle(worked));
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

class LocalLane<Task extends object, Result extends object> extends Lane<Task, Result> {
  private last = Promise.resolve();

  constructor(private readonly handle: (task: Task) => Promise<Result>) {
    super();
  }

  protected override send(task: Task & { readonly id: number }): void {
    this.last = this.last.then(async () => {
      if (this.isWanted(task.id)) this.settle(await work(this.handle, task));
    });
  }

  protected override async end(): Promise<void> {}
}
