/** One composite and its masks, from files to files. */
import { UsageError } from "../errors.js";
import { prepare } from "../harmonizer/prepare.js";
import type { HarmonizeProgress, Harmonizer, Region } from "../harmonizer.js";
import { assertEncodable, decodeImage, encodeImage, formatOfPath } from "../image/codec.node.js";
import { dropAlpha, type Image } from "../image/image.js";
import { invertMask, type Mask, maskFromAlpha, maskFromImage } from "../image/mask.js";
import { compareStrip, maskToImage } from "../image/strip.js";
import { assertWritable, sameFile, writeFileAtomic } from "../io/file_write.node.js";
import type { DtypeError } from "../model/dtype_error.js";

export interface PairOptions {
  readonly invertMask?: boolean;
  readonly strength: number;
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
}

export interface Pair extends Job {
  readonly image: Image;
  readonly pixels: readonly Mask[];
}

export interface PairTools {
  readonly harmonizer: Harmonizer;
  readonly onProgress: (progress: HarmonizeProgress) => void;
}

export interface PairResult {
  readonly input: string;
  /** The first of `masks`; null where the composite's alpha was the mask. */
  readonly mask: string | null;
  readonly masks: readonly string[];
  readonly reference: Region | null;
  readonly output: string;
  readonly compare: string | null;
  readonly width: number;
  readonly height: number;
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

const inputOf = ({ image, pixels }: Pair): { readonly image: Image; readonly masks: readonly Mask[] } => ({
  image,
  masks: pixels,
});

const steering = ({ strength, workingSize, feather, reference }: PairOptions) => {
  return { strength, workingSize, feather, reference };
};

function namesOf({ composite, masks }: Job) {
  const mask = `the alpha of ${composite}`;
  return { image: composite, mask, masks: masks.length === 0 ? [mask] : masks };
}

/** Refuses outputs that would lie nowhere, in no known format, or on top of an input. */
async function checkOutputs({ composite, masks, output, compare }: Job): Promise<void> {
  for (const path of [output, compare]) {
    if (path === undefined) continue;
    formatOfPath(path);
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
  { harmonizer, onProgress }: PairTools,
): Promise<PairResult> {
  const started = performance.now();
  const { checkDtype = false } = options;
  const { image, mask, workedAt, modelMs, f16Error } = await harmonizer.harmonize(inputOf(pair), {
    ...steering(options),
    names: namesOf(pair),
    checkDtype,
    onProgress,
  });
  const files: [string, Uint8Array][] = [[pair.output, await encodeImage(image, formatOfPath(pair.output))]];
  if (pair.compare !== undefined) {
    const strip = compareStrip([pair.image, maskToImage(mask), image]);
    files.push([pair.compare, await encodeImage(strip, formatOfPath(pair.compare))]);
  }
  for (const [path, bytes] of files) await writeFileAtomic(path, bytes);
  return {
    input: pair.composite,
    mask: pair.masks[0] ?? null,
    masks: pair.masks,
    reference: options.reference ?? null,
    output: pair.output,
    compare: pair.compare ?? null,
    width: image.width,
    height: image.height,
    workedAt,
    modelMs,
    totalMs: performance.now() - started,
    ...(f16Error && { f16Error }),
  };
}
