/** Composites made and written in threads. */
import { join } from "node:path";
import { InputError } from "../../errors.js";
import type { Image } from "../../image/image.js";
import { encodePngQuickly } from "../../image/sharp.node.js";
import { type FileSystem, realFileSystem, replaceFile } from "../../io/file_system.node.js";
import { WorkerPool, type WorkerPoolOptions } from "../worker_pool.node.js";
import { type Entry, FOLDERS, lineOf, PARTS, skippedLine } from "./manifest.js";
import type { Split, Subject, SynthSpec } from "./spec.js";
import { type Composite, Synthesizer } from "./synthesizer.node.js";

export interface CompositeTask {
  readonly index: number;
  readonly split: Split;
  /** Of the spec's: tried in this order, until one gives a composite that is good enough. */
  readonly subjects: readonly number[];
  /** One a subject. */
  readonly seeds: readonly number[];
}

/** What a thread of composites is told at its start. */
export interface CompositeThread {
  readonly role: "composites";
  readonly spec: SynthSpec;
  /** What comes before the sources' names in the manifest is left out. */
  readonly roots: readonly string[];
  readonly out: string;
  readonly cacheBytes: number;
}

export interface CompositePoolOptions extends WorkerPoolOptions, Omit<CompositeThread, "role" | "cacheBytes"> {
  /** Bytes of photographs to remember, in all threads together. Default 512 MiB. */
  readonly cacheBytes?: number | undefined;
  /** For tests; it works in this thread alone. */
  readonly fs?: FileSystem | undefined;
}

const CACHE_BYTES = 512 << 20;

/** The manifest's line of a composite whose files are all in place. */
export type CompositePool = WorkerPool<CompositeTask, { readonly entry: Entry }>;

export function openCompositePool(options: CompositePoolOptions): CompositePool {
  const { spec, roots, out, cacheBytes = CACHE_BYTES, fs } = options;
  const thread = (threads: number): CompositeThread => {
    return { role: "composites", spec, roots, out, cacheBytes: cacheBytes / Math.max(1, threads) };
  };
  return new WorkerPool<CompositeTask, { readonly entry: Entry }>(options, thread, () =>
    compositeHandler(thread(0), fs),
  );
}

export function compositeHandler(
  { spec, roots, out, cacheBytes }: CompositeThread,
  fs: FileSystem = realFileSystem,
): (task: CompositeTask) => Promise<{ readonly entry: Entry }> {
  const synthesizer = new Synthesizer(spec, cacheBytes);
  return async ({ index, split, subjects, seeds }) => {
    const rejected: string[] = [];
    const unusable: string[] = [];
    for (const [k, number] of subjects.entries()) {
      const subject = spec.subjects[number] as Subject;
      try {
        const attempts = await synthesizer.make(subject, seeds[k] as number);
        rejected.push(...attempts.rejected);
        if (!attempts.made) continue;
        const entry = lineOf({ index, split, subject, ...attempts.made.description, rejected, unusable }, roots);
        await writeComposite(join(out, PARTS[split]), entry.name, attempts.made, spec.size, fs);
        return { entry };
      } catch (error) {
        if (!(error instanceof InputError) || error instanceof WriteError) throw error;
        unusable.push(error.message);
      }
    }
    return { entry: skippedLine({ index, split, rejected, unusable }, roots) };
  };
}

/** A picture that cannot be written is no fault of its sources. */
class WriteError extends InputError {}

async function writeComposite(
  folder: string,
  name: string,
  { natural, composite, mask }: Composite,
  size: number,
  fs: FileSystem,
): Promise<void> {
  const form = { width: size, height: size, depth: 8 } as const;
  const pictures: Readonly<Record<(typeof FOLDERS)[number], Image>> = {
    image: { ...form, channels: 3, data: composite },
    mask: { ...form, channels: 1, data: mask },
    natural: { ...form, channels: 3, data: natural },
  };
  for (const kind of FOLDERS) {
    const bytes = await encodePngQuickly(pictures[kind]);
    await replaceFile(join(folder, kind, name), bytes, fs).catch((cause: unknown) => {
      throw cause instanceof InputError ? new WriteError(cause.message, { cause }) : cause;
    });
  }
}
