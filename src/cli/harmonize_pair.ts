/** One composite and its mask, from files to files. */
import { UsageError } from "../errors.js";
import type { CompileProgress } from "../graph/compile.js";
import type { Harmonizer } from "../harmonizer.js";
import { assertEncodable, decodeImage, encodeImage, formatOfPath } from "../image/codec.node.js";
import { dropAlpha, type Image } from "../image/image.js";
import { checkMask, invertMask, type Mask, maskFromAlpha, maskFromImage } from "../image/mask.js";
import { compareStrip, maskToImage } from "../image/strip.js";
import { assertWritable, sameFile, writeFileAtomic } from "../io/file_write.node.js";
import type { DtypeError } from "../model/dtype_error.js";

export interface PairOptions {
  readonly invertMask?: boolean;
  readonly strength: number;
  readonly workingSize: number;
  readonly feather: number;
  readonly maxPixels: number;
  readonly checkDtype?: boolean;
}

export interface Job {
  readonly composite: string;
  readonly mask?: string | undefined;
  readonly output: string;
  readonly compare?: string | undefined;
}

export interface Pair extends Job {
  readonly image: Image;
  readonly pixels: Mask;
}

export interface PairTools {
  readonly harmonizer: Harmonizer;
  readonly onProgress: (progress: CompileProgress) => void;
}

export interface PairResult {
  readonly input: string;
  readonly mask: string | null;
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
export async function readPair(job: Job, { invertMask: invert = false, maxPixels }: PairOptions): Promise<Pair> {
  await checkOutputs(job);
  const composite = await decodeImage(job.composite, { maxPixels });
  const given = job.mask === undefined ? null : maskFromImage(await decodeImage(job.mask, { maxPixels }));
  const found = given ?? maskFromAlpha(composite, job.composite);
  const pixels = invert ? invertMask(found) : found;
  checkMask(pixels, composite, { image: job.composite, mask: job.mask ?? `the alpha of ${job.composite}` });
  const image = given ? composite : dropAlpha(composite);
  await assertEncodable(image, formatOfPath(job.output), job.output);
  return { ...job, image, pixels };
}

/** Refuses outputs that would lie nowhere, in no known format, or on top of an input. */
async function checkOutputs({ composite, mask, output, compare }: Job): Promise<void> {
  for (const path of [output, compare]) {
    if (path === undefined) continue;
    formatOfPath(path);
    await assertWritable(path);
    for (const input of [composite, mask]) {
      if (input !== undefined && (await sameFile(input, path))) {
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
  { strength, workingSize, feather, checkDtype = false }: PairOptions,
  { harmonizer, onProgress }: PairTools,
): Promise<PairResult> {
  const started = performance.now();
  const { image, mask, workedAt, modelMs, f16Error } = await harmonizer.harmonize(
    { image: pair.image, mask: pair.pixels },
    { strength, workingSize, feather, checkDtype, onProgress },
  );
  const files: [string, Uint8Array][] = [[pair.output, await encodeImage(image, formatOfPath(pair.output))]];
  if (pair.compare !== undefined) {
    const strip = compareStrip([pair.image, maskToImage(mask), image]);
    files.push([pair.compare, await encodeImage(strip, formatOfPath(pair.compare))]);
  }
  for (const [path, bytes] of files) await writeFileAtomic(path, bytes);
  return {
    input: pair.composite,
    mask: pair.mask ?? null,
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
