/** A folder of composites: every NAME.EXT with a NAME_mask.png beside it. A bad pair is named and the rest go on. */
import { mkdir, readdir, stat } from "node:fs/promises";
import { join, parse } from "node:path";
import { DeviceLostError, InputError, S2amError, UsageError } from "../errors.js";
import { reason } from "../io/file_source.node.js";
import { sameFile } from "../io/file_write.node.js";
import {
  harmonizePair,
  type Job,
  type PairOptions,
  type PairResult,
  type PairTools,
  readPair,
} from "./harmonize_pair.js";

export interface FolderPairs {
  /** The pictures' file names, sorted. */
  readonly names: readonly string[];
  /** Pictures without a mask beside them. */
  readonly withoutMask: readonly string[];
}

export interface FolderReport {
  readonly done: readonly PairResult[];
  readonly failed: readonly { readonly input: string; readonly error: string }[];
  readonly withoutMask: readonly string[];
}

const PICTURE = /\.(png|jpe?g|webp)$/i;
const COMPANION = /_(mask|real)$/i;

/** Looks through the folder, and at where the outputs are to go; makes and writes nothing. */
export async function findPairs({ composite, output, compare }: Job): Promise<FolderPairs> {
  const pairs = await listPairs(composite);
  for (const folder of [output, compare]) {
    if (folder === undefined) continue;
    if (await sameFile(composite, folder)) {
      throw new UsageError(`${folder}: the output folder must not be the input folder`);
    }
    const existing = await stat(folder).catch(() => null);
    if (existing && !existing.isDirectory()) {
      throw new InputError(`${folder}: a file is there; for a folder of pictures, name a folder`);
    }
  }
  if (compare !== undefined && (await sameFile(output, compare))) {
    throw new UsageError(`${compare}: --compare must not name the output folder`);
  }
  return pairs;
}

async function listPairs(folder: string): Promise<FolderPairs> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new InputError(`${folder}: cannot be read (${reason(cause)})`, { cause });
  });
  const files = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  const all = new Set(files);
  const pictures = files.filter((name) => PICTURE.test(name) && !COMPANION.test(parse(name).name)).sort();
  const hasMask = (name: string): boolean => all.has(`${parse(name).name}_mask.png`);
  const names = pictures.filter(hasMask);
  if (names.length === 0) {
    throw new InputError(
      `${folder}: no pictures with a mask in it; expected NAME.jpg, .png or .webp with NAME_mask.png beside it`,
    );
  }
  return { names, withoutMask: pictures.filter((name) => !hasMask(name)) };
}

/** Harmonizes every pair to a picture of the same name. Only what would fail for all of them is thrown. */
export async function harmonizeFolder(
  { composite: folder, output, compare }: Job,
  { names, withoutMask }: FolderPairs,
  options: PairOptions,
  tools: PairTools & { readonly note: (line: string) => void },
): Promise<FolderReport> {
  for (const made of [output, compare]) {
    if (made === undefined) continue;
    await mkdir(made, { recursive: true }).catch((cause: unknown) => {
      throw new InputError(`${made}: the folder cannot be made (${reason(cause)})`, { cause });
    });
  }
  for (const name of withoutMask) tools.note(`${name}: left out, there is no ${parse(name).name}_mask.png`);
  const done: PairResult[] = [];
  const failed: { input: string; error: string }[] = [];
  for (const [index, name] of names.entries()) {
    const job: Job = {
      composite: join(folder, name),
      mask: join(folder, `${parse(name).name}_mask.png`),
      output: join(output, name),
      compare: compare && join(compare, name),
    };
    const at = `${index + 1}/${names.length} ${name}`;
    try {
      const result = await harmonizePair(await readPair(job, options), options, tools);
      done.push(result);
      tools.note(`${at}: ${result.totalMs.toFixed(0)} ms`);
    } catch (error) {
      if (!(error instanceof S2amError) || error instanceof DeviceLostError) throw error;
      failed.push({ input: job.composite, error: error.message });
      tools.note(`${at}: failed: ${error.message}`);
    }
  }
  return { done, failed, withoutMask };
}
