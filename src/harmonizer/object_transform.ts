/** The change that an object got, as something to keep, to read and to use elsewhere. */
import { type ColourTransform, grayOf, scaled, TRANSFORM_SPACE } from "../image/colour_transform.js";
import { toCube } from "../image/cube.js";
import { describeTransform, type Residual, residualOf, type TransformWords } from "../image/describe_transform.js";
import type { Fit, GlobalFit, Moments } from "../image/fit.js";
import { colourChannels, type Image } from "../image/image.js";
import type { Mask } from "../image/mask.js";

export interface ObjectTransform {
  /**
   * Three rows of four: out_i = m_i0 r + m_i1 g + m_i2 b + m_i3, on encoded samples from 0 to 1 (8-bit values over 255), in
   * the picture's own colour space. It includes `strength`; what leaves 0..1 is clipped.
   */
  readonly matrix: ColourTransform;
  /** What the matrix acts on. */
  readonly space: typeof TRANSFORM_SPACE;
  readonly fit: Fit;
  /** How much of the fitted change was believed, 0 to 1: less than 1 only for a small or uncertain one under fit `auto`. */
  readonly share: number;
  readonly words: TransformWords;
  /** How far the result is from what the matrix alone makes: rounding under `auto` and `global`, more under `local` and `none`. */
  readonly residual: Residual;
  /** How far the network's answer was from its best affine fit: root mean square over the object, in levels of 255. */
  readonly answerResidualLevels: number;
}

export interface ObjectChange {
  readonly before: Image;
  readonly after: Image;
  /** Of the change, before `strength`. */
  readonly weight: Mask;
  readonly strength: number;
  readonly fit: Fit;
  readonly global: GlobalFit;
  readonly moments: Moments;
}

/** The transform that was painted into a picture: the gray one's for a gray picture. */
export function paintedTransform(transform: ColourTransform, image: Image, strength: number): ColourTransform {
  const whole = scaled(transform, strength);
  return colourChannels(image) === 1 ? grayOf(whole) : whole;
}

export function objectTransform({
  before,
  after,
  weight,
  strength,
  fit,
  global,
  moments,
}: ObjectChange): ObjectTransform {
  const matrix = paintedTransform(global.transform, before, strength);
  return {
    matrix,
    space: TRANSFORM_SPACE,
    fit,
    share: global.share,
    words: describeTransform(matrix, moments),
    residual: residualOf(before, after, weight, matrix),
    answerResidualLevels: global.restLevels,
  };
}

/** From here on a table is not what was done to the picture, and says so: 3 levels are seen side by side. */
export const POOR_RESIDUAL_LEVELS = 3;

/** @returns how poor a table of this transform is, or null where it is not */
export function poorFit({ residual }: Pick<ObjectTransform, "residual">): string | null {
  if (residual.levels <= POOR_RESIDUAL_LEVELS) return null;
  return `one transform describes this result poorly: ${residual.levels.toFixed(1)} levels of 255 off on average (${residual.decibels.toFixed(1)} dB)`;
}

/** An object's change as the text of a .cube file. */
export function cubeOf(
  { matrix, words, residual }: Pick<ObjectTransform, "matrix" | "words"> & Partial<ObjectTransform>,
  title: string,
  size?: number,
): string {
  const poor = residual ? poorFit({ residual }) : null;
  const comments = [`made by s2am; acts on ${TRANSFORM_SPACE}, in its own colour space`, words.text];
  if (residual)
    comments.push(
      `differs from the result by ${residual.levels.toFixed(2)} levels of 255 (${residual.decibels.toFixed(1)} dB)`,
    );
  if (poor !== null) comments.push(`WARNING: ${poor}`);
  return toCube(matrix, { title, comments, ...(size !== undefined && { size }) });
}
