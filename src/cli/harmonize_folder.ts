/**
 * A folder of composites: every NAME.EXT with a NAME_mask.png beside it, or with NAME_mask_1.png, NAME_mask_2.png, ... where
 * several objects are pasted. A bad pair is named and the rest go on.
 */
import { mkdir, readdir, stat } from "node:fs/promises";
import { join, parse } from "node:path";
import { DeviceLostError, InputError, S2amError, UsageError } from "../errors.js";
import { reason } from "../io/file_source.node.js";
import { sameFile } from "../io/file_write.node.js";
import { type Job, type Pair, type PairOptions, readPair } from "./harmonize_pair.js";

export interface FolderPairs {
  /** By the pictures' file names, sorted. */
  readonly pairs: readonly FolderPair[];
  /** Pictures without a mask beside them. */
  readonly withoutMask: readonly string[];
}

export interface FolderPair {
  readonly name: string;
  /** File names, in the objects' order. */
  readonly masks: readonly string[];
  /** What is wrong with the masks' names. */
  readonly problem: string | null;
}

export interface FolderReport<Result> {
  readonly done: readonly Result[];
  readonly failed: readonly { readonly input: string; readonly error: string }[];
  readonly withoutMask: readonly string[];
}

const PICTURE = /\.(png|jpe?g|webp)$/i;
const COMPANION = /_(mask(_\d+)?|real)$/i;

/** Looks through the folder, and at where the outputs are to go; makes and writes nothing. */
export async function findPairs({ composite, output, compare, lut }: Job): Promise<FolderPairs> {
  const found = await listPairs(composite);
  for (const folder of [output, compare, lut]) {
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
  return found;
}

async function listPairs(folder: string): Promise<FolderPairs> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new InputError(`${folder}: cannot be read (${reason(cause)})`, { cause });
  });
  const files = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  const pictures = files.filter((name) => PICTURE.test(name) && !COMPANION.test(parse(name).name)).sort();
  const found = pictures.map((name) => ({ name, ...masksBeside(parse(name).name, files) }));
  const pairs = found.filter(({ masks }) => masks.length > 0);
  if (pairs.length === 0) {
    throw new InputError(
      `${folder}: no pictures with a mask in it; expected NAME.jpg, .png or .webp with NAME_mask.png beside it, or NAME_mask_1.png, NAME_mask_2.png, ...`,
    );
  }
  return { pairs, withoutMask: found.filter(({ masks }) => masks.length === 0).map(({ name }) => name) };
}

/** The masks of a picture by its name: one, or one an object with numbers from 1 on. */
function masksBeside(stem: string, files: readonly string[]): Omit<FolderPair, "name"> {
  const whole = `${stem}_mask.png`;
  const start = `${stem}_mask_`;
  const numbered = files
    .filter((name) => name.startsWith(start) && /^\d+\.png$/.test(name.slice(start.length)))
    .map((name) => ({ name, number: Number.parseInt(name.slice(start.length), 10) }))
    .sort((a, b) => a.number - b.number);
  const names = numbered.map(({ name }) => name);
  if (numbered.length === 0) return { masks: files.includes(whole) ? [whole] : [], problem: null };
  if (files.includes(whole))
    return { masks: [whole, ...names], problem: `both ${whole} and ${names[0]}: keep one form` };
  const gap = numbered.findIndex(({ number }, index) => number !== index + 1);
  if (gap < 0) return { masks: names, problem: null };
  const twice = numbered[gap]?.number === gap;
  const problem = twice
    ? `${names[gap - 1]} and ${names[gap]} have the same number`
    : `${start}${gap + 1}.png is missing, and there is ${names[gap]}`;
  return { masks: names, problem };
}

/** Makes the folders for what is to be written. */
export async function makeFolders({ output, compare, lut }: Job): Promise<void> {
  for (const made of [output, compare, lut]) {
    if (made === undefined) continue;
    await mkdir(made, { recursive: true }).catch((cause: unknown) => {
      throw new InputError(`${made}: the folder cannot be made (${reason(cause)})`, { cause });
    });
  }
}

/** A picture of a folder, and where its results go: files of the same name. */
export function jobOf({ composite: folder, output, compare, lut }: Job, { name, masks, problem }: FolderPair): Job {
  const composite = join(folder, name);
  if (problem !== null) throw new InputError(`${composite}: ${problem}`);
  return {
    composite,
    masks: masks.map((mask) => join(folder, mask)),
    output: join(output, name),
    compare: compare && join(compare, name),
    lut: lut && join(lut, `${parse(name).name}.cube`),
  };
}

/** Hands each pair to `change`, one after another. Only what would fail for all of them is thrown. */
export async function eachPair<Result>(
  folder: Job,
  { pairs, withoutMask }: FolderPairs,
  options: PairOptions,
  note: (line: string) => void,
  change: (pair: Pair) => Promise<Result>,
): Promise<FolderReport<Result>> {
  await makeFolders(folder);
  for (const name of withoutMask) note(`${name}: left out, there is no ${parse(name).name}_mask.png`);
  const done: Result[] = [];
  const failed: { input: string; error: string }[] = [];
  for (const [index, pair] of pairs.entries()) {
    const at = `${index + 1}/${pairs.length} ${pair.name}`;
    const started = performance.now();
    try {
      done.push(await change(await readPair(jobOf(folder, pair), options)));
      note(`${at}: ${(performance.now() - started).toFixed(0)} ms`);
    } catch (error) {
      if (!(error instanceof S2amError) || error instanceof DeviceLostError) throw error;
      failed.push({ input: join(folder.composite, pair.name), error: error.message });
      note(`${at}: failed: ${error.message}`);
    }
  }
  return { done, failed, withoutMask };
}
