/**
 * Frames of one scene. A transform solved frame by frame flickers, for the network's answer moves with every grain of noise.
 * So what a fit needs to know of each frame is added up, over a shot or over a window of frames, and one transform is
 * solved from the sums.
 */
import { UsageError } from "../errors.js";
import type { ColourTransform } from "../image/colour_transform.js";
import { describeTransform, type TransformWords } from "../image/describe_transform.js";
import { checkFit, DEFAULT_FIT, type Fit, type Moments, pooled, solveGlobal } from "../image/fit.js";
import type { FloatImage } from "../image/float.js";
import type { Image } from "../image/image.js";
import { resizeVisible } from "../image/resize_weighted.js";

/** What is kept of a frame: a few hundred numbers. */
export interface FrameAnalysis {
  readonly width: number;
  readonly height: number;
  /** The composite at 32 x 18. */
  readonly thumbnail: FloatImage<3>;
  /** One an object. */
  readonly objects: readonly Moments[];
}

export interface SequenceOptions {
  readonly fit?: Fit | undefined;
  /** Frames over which each frame's transform is averaged, from 1 (none) on; without it, one transform a shot. */
  readonly smooth?: number | undefined;
  /** Mean difference of thumbnails, 0 to 1, from which two frames belong to different shots. Default 0.1. */
  readonly cutThreshold?: number | undefined;
}

export interface Shot {
  /** Indices of the first frame and of the last. */
  readonly first: number;
  readonly last: number;
  /** Difference to the frame before, 0 to 1; null for the first shot. */
  readonly difference: number | null;
}

export interface SolvedTransform {
  readonly matrix: ColourTransform;
  readonly share: number;
  readonly words: TransformWords;
}

export interface SolvedSequence {
  readonly shots: readonly Shot[];
  /** One an object, for each frame. */
  readonly transforms: readonly (readonly SolvedTransform[])[];
}

export const DEFAULT_CUT_THRESHOLD = 0.1;
const [THUMB_WIDTH, THUMB_HEIGHT] = [32, 18];

export const thumbnailOf = (image: Image): FloatImage<3> => resizeVisible(image, THUMB_WIDTH, THUMB_HEIGHT);

/** @throws UsageError naming the option, its range and what came */
export function checkSequence({
  fit = DEFAULT_FIT,
  smooth,
  cutThreshold = DEFAULT_CUT_THRESHOLD,
}: SequenceOptions): void {
  checkFit(fit);
  if (fit === "local" || fit === "none")
    throw new UsageError(`a sequence needs one transform an object: fit auto or global, got ${fit}`);
  if (smooth !== undefined && !(Number.isInteger(smooth) && smooth >= 1))
    throw new UsageError(`smooth must be a whole number of frames from 1, got ${smooth}`);
  if (!(cutThreshold > 0 && cutThreshold <= 1))
    throw new UsageError(`the cut threshold must be a number above 0, up to 1, got ${cutThreshold}`);
}

/**
 * Finds the shots, and solves the transforms.
 * @param frames in their order
 * @throws UsageError
 */
export function solveSequence(frames: readonly FrameAnalysis[], options: SequenceOptions = {}): SolvedSequence {
  checkSequence(options);
  const { fit = DEFAULT_FIT, smooth } = options;
  const shots = findShots(frames, options.cutThreshold ?? DEFAULT_CUT_THRESHOLD);
  const transforms: SolvedTransform[][] = [];
  for (const { first, last } of shots) {
    const shot = frames.slice(first, last + 1);
    const objects = (shot[0] as FrameAnalysis).objects.map((_, object) => {
      const all = shot.map((frame) => frame.objects[object] as Moments);
      if (smooth === undefined) {
        const one = solved(pooled(all.map((moments) => ({ moments, weight: 1 }))), fit);
        return all.map(() => one);
      }
      return all.map((_, at) => solved(pooled(windowOf(all, at, smooth)), fit));
    });
    for (let i = 0; i < shot.length; i++) transforms.push(objects.map((frame) => frame[i] as SolvedTransform));
  }
  return { shots, transforms };
}

function solved(moments: Moments, fit: Fit): SolvedTransform {
  const { transform, share } = solveGlobal(moments, fit);
  return { matrix: transform, share, words: describeTransform(transform, moments) };
}

/** A triangle over `frames` frames round one, cut off at the shot's ends. */
function windowOf(all: readonly Moments[], at: number, frames: number): { moments: Moments; weight: number }[] {
  const half = (frames + 1) / 2;
  return all.flatMap((moments, i) => {
    const weight = 1 - Math.abs(i - at) / half;
    return weight > 0 ? [{ moments, weight }] : [];
  });
}

/** A new shot begins where the picture differs much from the one before, or has another size or number of objects. */
function findShots(frames: readonly FrameAnalysis[], threshold: number): Shot[] {
  const shots: { first: number; last: number; difference: number | null }[] = [];
  for (const [i, frame] of frames.entries()) {
    const before = frames[i - 1];
    const current = shots.at(-1);
    const difference = before ? differenceOf(before.thumbnail, frame.thumbnail) : null;
    const isAlike =
      before !== undefined &&
      before.width === frame.width &&
      before.height === frame.height &&
      before.objects.length === frame.objects.length &&
      (difference ?? 0) <= threshold;
    if (isAlike && current) current.last = i;
    else shots.push({ first: i, last: i, difference });
  }
  return shots;
}

function differenceOf(a: FloatImage<3>, b: FloatImage<3>): number {
  const sum = a.data.reduce((total, value, i) => total + Math.abs(value - (b.data[i] as number)), 0);
  return sum / a.data.length;
}
