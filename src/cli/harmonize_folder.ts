/** A folder of composites: every NAME.EXT with a NAME_mask.png beside it. A bad pair is named and the rest go on. */
import { mkdir, readdir, stat } from "node:fs/promises";
import { join, parse } from "node:path";
import { AbortedError, InputError, S2amError, UsageError } from "../errors.js";
import { sameFile } from "../io/file_write.node.js";
import { checkJob, harmonizePair, type Job, type PairResult, type PairTools, readPair } from "./harmonize_pair.js";

export interface FolderReport {
  readonly done: readonly PairResult[];
  readonly failed: readonly { readonly input: string; readonly error: string }[];
  /** Pictures without a mask beside them. */
  readonly withoutMask: readonly string[];
}

const PICTURE = /\.(png|jpe?g|webp)$/i;
const COMPANION = /_(mask|real)$/i;

export async function harmonizeFolder(job: Job, tools: PairTools, note: (line: string) => void): Promise<FolderReport> {
  const { names, withoutMask } = await pairsIn(job.composite);
  for (const folder of [job.output, job.compare]) {
    if (folder === undefined) continue;
    if (await sameFile(job.composite, folder)) throw new UsageError(`${folder}: the output folder must not be the input folder`);
    const existing = await stat(folder).catch(() => null);
    if (existing && !existing.isDirectory()) throw new InputError(`${folder}: a file is there; for a folder of pictures, name a folder`);
    await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
      throw new InputError(`${folder}: the folder cannot be made (${cause instanceof Error ? cause.message : cause})`, { cause });
    });
  }
  const done: PairResult[] = [];
  const failed: { input: string; error: string }[] = [];
  for (const [index, name] of names.entries()) {
    if (tools.signal.aborted) throw new AbortedError();
    const pair: Job = {
      composite: join(job.composite, name),
      mask: join(job.composite, `${parse(name).name}_mask.png`),
      output: join(job.output, name),
      compare: job.compare && join(job.compare, `${parse(name).name}.png`),
    };
    try {
      await checkJob(pair);
      const result = await harmonizePair(await readPair(pair, tools.options), tools);
      done.push(result);
      note(`${index + 1}/${names.length} ${name}: ${result.totalMs.toFixed(0)} ms`);
    } catch (error) {
      if (!(error instanceof S2amError) || error instanceof AbortedError) throw error;
      failed.push({ input: pair.composite, error: error.message });
      note(`${index + 1}/${names.length} ${name}: failed: ${error.message}`);
    }
  }
  return { done, failed, withoutMask };
}

async function pairsIn(folder: string): Promise<{ names: string[]; withoutMask: string[] }> {
  const entries = (await readdir(folder)).sort();
  const all = new Set(entries);
  const pictures = entries.filter((name) => PICTURE.test(name) && !COMPANION.test(parse(name).name));
  const hasMask = (name: string): boolean => all.has(`${parse(name).name}_mask.png`);
  const names = pictures.filter(hasMask);
  if (names.length === 0) {
    throw new InputError(`${folder}: no pictures with a mask in it; expected NAME.jpg, .png or .webp with NAME_mask.png beside it`);
  }
  return { names, withoutMask: pictures.filter((name) => !hasMask(name)) };
}
