/** What the bench asks of a process of its own, and what that answers: peaks of memory are a process's, not a run's. */
export interface Job {
  readonly composite: string;
  readonly mask: string;
  readonly weights: string;
  readonly adapter?: string | undefined;
  /** Longest side at which the network runs. */
  readonly workingSize: number;
  /** PNG to write. */
  readonly output: string;
}

export interface Run {
  readonly adapter: string;
  readonly workedAt: { readonly width: number; readonly height: number };
  /** From the process's start to the written file: loading, compiling, decoding, encoding and all. */
  readonly endToEndMs: number;
  /** The network alone, on its second run: the first finds caches cold. */
  readonly modelMs: number;
  /** The most that the process had in memory; on a software adapter the network's buffers are part of it. */
  readonly peakRssBytes: number;
  /** The most that the engine's own buffers took. */
  readonly peakBufferBytes: number;
}

export type Reply = { readonly run: Run } | { readonly failed: string };
