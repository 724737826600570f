/** What one harmonization is given, how it is steered, and what comes back. */
import { UsageError } from "../errors.js";
import type { CompileProgress } from "../graph/compile.js";
import type { Region } from "../image/background.js";
import { checkFit, DEFAULT_FIT, type Fit } from "../image/fit.js";
import type { Image, ImageDataLike } from "../image/image.js";
import type { Mask } from "../image/mask.js";
import type { DtypeError } from "../model/dtype_error.js";
import type { ObjectTransform } from "./object_transform.js";

export interface HarmonizeInput<Picture extends Image | ImageDataLike> {
  readonly image: Picture;
  /** White is the foreground that is changed. Without it the image's alpha is the mask and the result is opaque. */
  readonly mask?: Image | ImageDataLike | Mask | undefined;
  /**
   * Several objects, each with a mask and a correction of its own, as they may come from different photographs. They are
   * harmonized in this order, each against the picture as it is by then; those that are still to come do not count as
   * background. Later ones lie on top: a pixel that several masks claim is the later one's. Instead of `mask`.
   */
  readonly masks?: readonly (Image | ImageDataLike | Mask)[] | undefined;
}

/** What messages call the inputs. */
export interface InputNames {
  readonly image: string;
  readonly mask: string;
  /** Of `masks`, one each. Default: `mask` and a number. */
  readonly masks?: readonly string[] | undefined;
}

/** Of the compilation, once a resolution; of the objects, where there are several. */
export type HarmonizeProgress =
  | CompileProgress
  | { readonly stage: "objects"; readonly done: number; readonly total: number };

export interface HarmonizeOptions {
  /** 0 leaves the picture as it is, 1 takes the network's colours whole. Default 1. */
  readonly strength?: number;
  /**
   * What is made of the network's answer. `global`: one affine transform of the object's colours, fitted to it. `auto`, the
   * default: the same, and less of it where it is small or uncertain. `local`: one that varies slowly over the object. `none`:
   * the answer as it is, with its errors.
   */
  readonly fit?: Fit | undefined;
  /** Longest side at which the network runs; larger pictures run reduced and keep their detail. Default 512. */
  readonly workingSize?: number;
  /** Pixels over which the change fades in from the mask's edge inwards. Default 0. */
  readonly feather?: number;
  /** Takes black as the foreground. */
  readonly invertMask?: boolean;
  /**
   * Matches this part of the background instead of all of it, in whole pixels of the picture. An extension beyond the
   * paper: the network sees the object before a background that is made of the region, mirrored to all sides.
   */
  readonly reference?: Region | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: HarmonizeProgress) => void) | undefined;
  /** With a network stored as f16: also runs it in f32, and says how far the two are apart. */
  readonly checkDtype?: boolean;
  readonly names?: InputNames;
}

export interface HarmonizeResult<Picture> {
  readonly image: Picture;
  /** The mask that was used, inverted and feathered as asked; of several, all together. */
  readonly mask: Mask;
  /** What was done to the object, in numbers and in words; of several objects, to the first. */
  readonly transform: ObjectTransform;
  /** One an object, in their order. */
  readonly transforms: readonly ObjectTransform[];
  /** Size at which the network ran, before padding. */
  readonly workedAt: { readonly width: number; readonly height: number };
  /** Milliseconds of the network's runs alone, and of everything. */
  readonly modelMs: number;
  readonly totalMs: number;
  /** With `checkDtype`, of the network's output; of several, the worst. */
  readonly f16Error?: DtypeError;
}

export const DEFAULT_WORKING_SIZE = 512;

/** @throws UsageError naming the option, its range and what came */
export function checkOptions({
  strength = 1,
  workingSize = DEFAULT_WORKING_SIZE,
  feather = 0,
  fit = DEFAULT_FIT,
}: HarmonizeOptions): void {
  checkFit(fit);
  if (!(strength >= 0 && strength <= 1)) throw new UsageError(`strength must be a number from 0 to 1, got ${strength}`);
  if (!(Number.isInteger(workingSize) && workingSize >= 16)) {
    throw new UsageError(`the working size must be a whole number of pixels from 16, got ${workingSize}`);
  }
  if (!(Number.isFinite(feather) && feather >= 0))
    throw new UsageError(`feather must be 0 pixels or more, got ${feather}`);
}
