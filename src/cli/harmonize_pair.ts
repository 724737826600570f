/** One composite and its masks, from files to files. */
import { parse } from "node:path";
import { UsageError } from "../errors.js";
import { cubeOf, poorFit } from "../harmonizer/object_transform.js";
import { prepare } from "../harmonizer/prepare.js";
import type { HarmonizeProgress, Harmonizer, ObjectTransform, Region } from "../harmonizer.js";
import { assertEncodable, decodeImage, encodeImage, formatOfPath } from "../image/codec.node.js";
import type { Fit } from "../image/fit.js";
import { dropAlpha, type Image } from "../image/image.js";
import { invertMask, type Mask, maskFromAlpha, maskFromImage } from "../image/mask.js";
import { compareStrip, maskToImage } from "../image/strip.js";
import { assertWritable, sameFile, writeFileAtomic } from "../io/file_write.node.js";
import type { DtypeError } from "../model/dtype_error.js";

export interface PairOptions {
  readonly invertMask?: boolean;
  readonly strength: number;
  readonly fit?: Fit | undefined;
  readonly workingSize: number;
  readonly feather: number;
  readonly reference?: Region;
  readonly maxPixels: number;
  readonly checkDtype?: boolean;
}

export interface Job {
  readonly composite: string;
  /** One an object, in their order; none: the composite's alpha. */
  readonly masks: readonly string[];
  readonly output: string;
  readonly compare?: string | undefined;
  /** A .cube file; of several objects, its name gets numbers. */
  readonly lut?: string | undefined;
}

export interface Pair extends Job {
  readonly image: Image;
  readonly pixels: readonly Mask[];
}

export interface PairTools {
  readonly harmonizer: Harmonizer;
  readonly onProgress: (progress: HarmonizeProgress) => void;
  readonly note: (line: string) => void;
}

/** What every way of changing a picture tells of it. */
export interface PairReport {
  readonly input: string;
  /** The first of `masks`; null where the composite's alpha was the mask. */
  readonly mask: string | null;
  readonly masks: readonly string[];
  readonly reference: Region | null;
  readonly output: string;
  readonly compare: string | null;
  readonly width: number;
  readonly height: number;
}

export interface PairResult extends PairReport {
  /** What was done to the first object, and to each. */
  readonly transform: ObjectTransform;
  readonly transforms: readonly ObjectTransform[];
  /** The .cube files, one an object; null where none was asked for. */
  readonly luts: readonly string[] | null;
  readonly workedAt: { readonly width: number; readonly height: number };
  readonly modelMs: number;
  readonly totalMs: number;
  /** With `checkDtype` and dtype f16. */
  readonly f16Error?: DtypeError;
}

/** Decodes a pair, once its outputs have been found writable; all that can be wrong with either is wrong here. */
export async function readPair(job: Job, options: PairOptions): Promise<Pair> {
  const { invertMask: invert = false, maxPixels } = options;
  await checkOutputs(job);
  const composite = await decodeImage(job.composite, { maxPixels });
  const found: Mask[] = [];
  for (const path of job.masks) found.push(maskFromImage(await decodeImage(path, { maxPixels })));
  const isAlpha = found.length === 0;
  if (isAlpha) found.push(maskFromAlpha(composite, job.composite));
  const pixels = invert ? found.map(invertMask) : found;
  const image = isAlpha ? dropAlpha(composite) : composite;
  const pair = { ...job, image, pixels };
  prepare(inputOf(pair), { ...steering(options), names: namesOf(job) });
  await assertEncodable(image, formatOfPath(job.output), job.output);
  return pair;
}

export const inputOf = ({ image, pixels }: Pair): { readonly image: Image; readonly masks: readonly Mask[] } => ({
  image,
  masks: pixels,
});

const steering = ({ strength, fit, workingSize, feather, reference }: PairOptions) => {
  return { strength, fit, workingSize, feather, reference };
};

export function namesOf({ composite, masks }: Job) {
  const mask = `the alpha of ${composite}`;
  return { image: composite, mask, masks: masks.length === 0 ? [mask] : masks };
}

/** Where the tables of a picture's objects go. */
export function lutPaths({ lut, masks }: Job): readonly string[] | null {
  if (lut === undefined) return null;
  if (masks.length < 2) return [lut];
  const { ext } = parse(lut);
  return masks.map((_, index) => `${lut.slice(0, lut.length - ext.length)}_${index + 1}${ext}`);
}

/** Refuses outputs that would lie nowhere, in no known format, or on top of an input. */
async function checkOutputs(job: Job): Promise<void> {
  const { composite, masks, output, compare } = job;
  const luts = lutPaths(job) ?? [];
  for (const path of luts) {
    if (!/\.cube$/i.test(path)) throw new UsageError(`${path}: a LUT is written as .cube; give it that ending`);
  }
  for (const path of [output, compare, ...luts]) {
    if (path === undefined) continue;
    if (!luts.includes(path)) formatOfPath(path);
    await assertWritable(path);
    for (const input of [composite, ...masks]) {
      if (await sameFile(input, path)) {
        throw new UsageError(`${path}: the output must not be an input; choose another name`);
      }
    }
  }
  if (compare !== undefined && (await sameFile(output, compare))) {
    throw new UsageError(`${compare}: --compare must not name the output itself`);
  }
}

/** Everything is computed and encoded before anything is written. */
export async function harmonizePair(
  pair: Pair,
  options: PairOptions,
  { harmonizer, onProgress, note }: PairTools,
): Promise<PairResult> {
  const started = performance.now();
  const { checkDtype = false } = options;
  const result = await harmonizer.harmonize(inputOf(pair), {
    ...steering(options),
    names: namesOf(pair),
    checkDtype,
    onProgress,
  });
  const { transform, transforms, workedAt, modelMs, f16Error } = result;
  const luts = lutPaths(pair);
  const cubes = (luts ?? []).map((path, index): File => {
    const one = transforms[index] as ObjectTransform;
    const poor = poorFit(one);
    if (poor !== null) note(`${path}: ${poor}`);
    return [path, new TextEncoder().encode(cubeOf(one, parse(path).name))];
  });
  const report = await writePair(pair, result, options, cubes);
  return {
    ...report,
    transform,
    transforms,
    luts,
    workedAt,
    modelMs,
    totalMs: performance.now() - started,
    ...(f16Error && { f16Error }),
  };
}

type File = readonly [path: string, bytes: Uint8Array];

/** Writes a changed picture, its strip where one is wanted, and what else there is. */
export async function writePair(
  pair: Pair,
  { image, mask }: { readonly image: Image; readonly mask: Mask },
  { reference = null }: { readonly reference?: Region | null | undefined },
  more: readonly File[] = [],
): Promise<PairReport> {
  const files: File[] = [[pair.output, await encodeImage(image, formatOfPath(pair.output))]];
  if (pair.compare !== undefined) {
    const strip = compareStrip([pair.image, maskToImage(mask), image]);
    files.push([pair.compare, await encodeImage(strip, formatOfPath(pair.compare))]);
  }
  for (const [path, bytes] of [...files, ...more]) await writeFileAtomic(path, bytes);
  return {
    input: pair.composite,
    mask: pair.masks[0] ?? null,
    masks: pair.masks,
    reference,
    output: pair.output,
    compare: pair.compare ?? null,
    width: image.width,
    height: image.height,
  };
}
