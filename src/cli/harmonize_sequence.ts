/** `s2am harmonize FRAMES --sequence`: one transform a shot, or one a frame that is averaged over its neighbours. */
import { join, parse } from "node:path";
import { DeviceLostError, InputError, S2amError } from "../errors.js";
import { applyChange } from "../harmonizer/apply_change.js";
import { cubeOf, paintedTransform } from "../harmonizer/object_transform.js";
import { type FrameAnalysis, type SolvedTransform, solveSequence } from "../harmonizer/sequence.js";
import { type FolderPair, type FolderPairs, jobOf, makeFolders } from "./harmonize_folder.js";
import {
  inputOf,
  type Job,
  lutPaths,
  namesOf,
  type Pair,
  type PairOptions,
  type PairReport,
  type PairTools,
  readPair,
  writePair,
} from "./harmonize_pair.js";

export interface SequenceCommandOptions extends PairOptions {
  readonly smooth?: number;
  readonly cutThreshold: number;
}

export interface FrameReport extends PairReport {
  /** Its number, from 0. */
  readonly shot: number;
  /** One an object; with --smooth, else the shot tells. */
  readonly transforms?: readonly SolvedTransform[];
}

export interface ShotReport {
  /** File names. */
  readonly first: string;
  readonly last: string;
  readonly frames: number;
  readonly difference: number | null;
  /** One an object; without --smooth. */
  readonly transforms?: readonly SolvedTransform[];
  /** .cube files, where they were asked for; of every frame, with --smooth. */
  readonly luts: readonly string[] | null;
}

export interface SequenceReport {
  readonly shots: readonly ShotReport[];
  readonly done: readonly FrameReport[];
  readonly failed: readonly { readonly input: string; readonly error: string }[];
  readonly withoutMask: readonly string[];
}

/** frame2 before frame10. */
const NATURAL = new Intl.Collator("en", { numeric: true });

/** Frames are read twice, once to be analysed and once to be changed: none is kept. A bad one is named and left out. */
export async function harmonizeSequence(
  folder: Job,
  { pairs, withoutMask }: FolderPairs,
  options: SequenceCommandOptions,
  { harmonizer, onProgress, note }: PairTools,
): Promise<SequenceReport> {
  await makeFolders(folder);
  for (const name of withoutMask) note(`${name}: left out, there is no ${parse(name).name}_mask.png`);
  const { fit, workingSize, feather, reference, smooth, cutThreshold, strength } = options;
  const frames = [...pairs].sort((a, b) => NATURAL.compare(a.name, b.name));
  const failed: { input: string; error: string }[] = [];
  const attempt = async <T>(frame: FolderPair, at: string, body: (pair: Pair) => Promise<T>): Promise<T | null> => {
    try {
      return await body(await readPair(jobOf(folder, frame), options));
    } catch (error) {
      if (!(error instanceof S2amError) || error instanceof DeviceLostError) throw error;
      failed.push({ input: join(folder.composite, frame.name), error: error.message });
      note(`${at}: failed: ${error.message}`);
      return null;
    }
  };

  const analysed: { frame: FolderPair; analysis: FrameAnalysis }[] = [];
  for (const [index, frame] of frames.entries()) {
    const at = `${index + 1}/${frames.length} ${frame.name}`;
    const analysis = await attempt(frame, at, (pair) =>
      harmonizer.analyse(inputOf(pair), {
        fit,
        workingSize,
        feather,
        reference,
        strength,
        names: namesOf(pair),
        onProgress,
      }),
    );
    if (analysis) analysed.push({ frame, analysis });
    if (analysis) note(`${at}: analysed`);
  }
  if (analysed.length === 0) throw new InputError(`${folder.composite}: no frame could be used: ${failed[0]?.error}`);
  const solved = solveSequence(
    analysed.map(({ analysis }) => analysis),
    { fit, smooth, cutThreshold },
  );

  const done: FrameReport[] = [];
  const shots: ShotReport[] = [];
  for (const [shot, { first, last, difference }] of solved.shots.entries()) {
    const luts: string[] = [];
    for (let i = first; i <= last; i++) {
      const { frame } = analysed[i] as { frame: FolderPair };
      const transforms = solved.transforms[i] as readonly SolvedTransform[];
      const report = await attempt(frame, frame.name, async (pair) => {
        const changes = transforms.map(({ matrix }) => matrix);
        const result = applyChange(inputOf(pair), changes, { strength, feather, names: namesOf(pair) });
        const cubes = i === first || smooth !== undefined ? cubesOf(pair, transforms, options) : [];
        luts.push(...cubes.map(([path]) => path));
        return writePair(pair, result, options, cubes);
      });
      if (report) done.push({ ...report, shot, ...(smooth !== undefined && { transforms }) });
    }
    shots.push({
      first: (analysed[first] as { frame: FolderPair }).frame.name,
      last: (analysed[last] as { frame: FolderPair }).frame.name,
      frames: last - first + 1,
      difference,
      ...(smooth === undefined && { transforms: solved.transforms[first] as readonly SolvedTransform[] }),
      luts: folder.lut === undefined ? null : luts,
    });
  }
  return { shots, done, failed, withoutMask };
}

function cubesOf(
  pair: Pair,
  transforms: readonly SolvedTransform[],
  { strength }: PairOptions,
): [string, Uint8Array][] {
  return (lutPaths(pair) ?? []).map((path, index) => {
    const { matrix, words } = transforms[index] as SolvedTransform;
    const painted = paintedTransform(matrix, pair.image, strength);
    return [path, new TextEncoder().encode(cubeOf({ matrix: painted, words }, parse(path).name))];
  });
}
