/**
 * Carries the network's change of colour to the full picture, so that detail stays: not the small result is enlarged, but
 * a transform of the picture's own colours is applied, fitted to what the network made of them (`fit.ts`): one for the
 * whole object, or one that varies over it (`colour_field.ts`). It is the same at every size; `none` alone tells a picture
 * that the network saw at full size, whose answer it takes as it is.
 */
import { ShapeError } from "../errors.js";
import {
  changeRows,
  cropTo,
  everywhere,
  isSoft,
  type Part,
  partOf,
  placeOn,
  type RgbRows,
  type RowMap,
  rowsOf,
  type Sides,
  sidesOf,
  sureOf,
} from "./change_rows.js";
import { type ColourField, type FieldOptions, fitColourField } from "./colour_field.js";
import { TERMS } from "./colour_moments.js";
import { type ColourMap, grayOf, mapOf } from "./colour_transform.js";
import { DEFAULT_FIT, type Fit, type GlobalFit, type Moments, momentsOf, solveGlobal } from "./fit.js";
import type { FloatImage } from "./float.js";
import { colourChannels, type Image } from "./image.js";
import type { Mask } from "./mask.js";
import { resize, type Size, workingSize } from "./resize.js";
import { resizeVisible } from "./resize_weighted.js";

export type { RgbRows } from "./change_rows.js";

export interface GuidedOptions {
  readonly fit?: Fit | undefined;
  /** Of `none`: windows are 2 radius + 1 pixels of the small image wide. Default 2. */
  readonly radius?: number;
  /** Of `none`: ridge of the local fit, in squared units of [0, 1] colour. Default 1e-4. */
  readonly epsilon?: number;
}

// Chosen on full-size restyled photographs fitted at 512 pixels, foreground PSNR of the result: radius 2 without the
// added remainder 47.9 dB, with it 49.1; radius 8 45.9 and 48.0; epsilon 1e-3 48.3; the change just enlarged 39.9.
const EXACT: FieldOptions = { radius: 2, epsilon: 1e-4, exact: true };
/** `local`: windows of half the picture. Of 64, 24 pixels of 256 and less, the smaller lost more to the network's errors. */
const LOCAL_RADIUS = 1 / 4;
const LOCAL_EPSILON = 1e-3;

/** A run of the network, all of one size: the picture's, or a reduced one of the same aspect. */
export interface Answer {
  /** What the network saw: colours in [0, 1], and the mask of the foreground. */
  readonly input: FloatImage<3>;
  readonly mask: Mask;
  /** Its answer, not clamped. */
  readonly output: FloatImage<3>;
  /** The picture itself, where the network was shown another background. Default: `input`. */
  readonly picture?: FloatImage<3>;
}

export interface Fitted {
  /** The result, row by row on demand. */
  readonly rows: RgbRows;
  /** The one transform that describes it best. */
  readonly global: GlobalFit;
  readonly moments: Moments;
}

/** Transforms are fitted on at most this many pixels, longest side. */
const FIT_SIZE = 512;

/** What a fit of the whole object needs of an answer; sums of several frames fit one transform for all of them. */
export function answerMoments(answer: Answer): Moments {
  const { input, output, mask, part } = partsOf(reduced(answer));
  return momentsOf(cropTo(input, part), cropTo(output, part), sureIn(mask, part));
}

/**
 * The change fitted and made ready to be painted.
 * @param full the picture at full size @param mask its foreground, at that size
 */
export function fitAnswer(full: Image, mask: Mask, answer: Answer, options: GuidedOptions = {}): Fitted {
  const { fit = DEFAULT_FIT } = options;
  const small = partsOf(reduced(answer));
  const moments = answerMoments(small);
  const global = solveGlobal(moments, fit);
  const soft = mask.data.some(isSoft);
  const sides = soft ? sidesOf(small.input, small.picture ?? small.input, small.mask) : null;
  const isWhole = answer.input.width === full.width && answer.input.height === full.height;
  const solid = fit === "none" && isWhole ? rowsOf(answer.output) : null;
  if (solid && !soft) return { rows: solid, global, moments };
  const isOne = fit === "auto" || fit === "global";
  const isGray = colourChannels(full) === 1;
  const map = isOne
    ? everywhere(mapOf(isGray ? grayOf(global.transform) : global.transform))
    : varying(full, small, global, options);
  return { rows: changeRows(full, mask, sides, map, solid), global, moments };
}

/** `fitAnswer`'s rows. */
export const guidedUpsample = (full: Image, mask: Mask, answer: Answer, options: GuidedOptions = {}): RgbRows =>
  fitAnswer(full, mask, answer, options).rows;

/** A change of colour that is given, painted as a fitted one is. */
export function mappedRows(full: Image, mask: Mask, map: ColourMap): RgbRows {
  let sides: Sides | null = null;
  if (mask.data.some(isSoft)) {
    const { width, height } = workingSize(full.width, full.height, FIT_SIZE);
    const small = resizeVisible(full, width, height);
    sides = sidesOf(small, small, resize(mask, width, height));
  }
  return changeRows(full, mask, sides, everywhere(map));
}

interface AnswerPart extends Answer {
  readonly part: Part;
}

function partsOf(answer: Answer): AnswerPart {
  const { input, output, mask, picture = input } = answer;
  checkSizes(input, output, mask, picture);
  return { ...answer, part: partOf(mask) };
}

function checkSizes({ width, height }: Size, ...others: readonly Size[]): void {
  const odd = others.find((other) => other.width !== width || other.height !== height);
  if (odd) {
    const sizes = `input is ${width}x${height}, mask, output or picture ${odd.width}x${odd.height}`;
    throw new ShapeError(`guided upsampling: ${sizes}`);
  }
}

function reduced(answer: Answer): Answer {
  const { input, output, mask, picture } = answer;
  const { width, height } = workingSize(input.width, input.height, FIT_SIZE);
  if (width === input.width && height === input.height) return answer;
  const small = <C extends number>(image: FloatImage<C>): FloatImage<C> => resize(image, width, height);
  return { input: small(input), output: small(output), mask: small(mask), ...(picture && { picture: small(picture) }) };
}

function sureIn(mask: Mask, part: Part): FloatImage<1> {
  const shares = cropTo(mask, part);
  return { ...shares, data: sureOf(shares.data) };
}

/** A transform a pixel. */
function varying(
  full: Image,
  { input, output, mask, part }: AnswerPart,
  global: GlobalFit,
  options: GuidedOptions,
): RowMap {
  const { radius = EXACT.radius, epsilon = EXACT.epsilon } = options;
  const wide = Math.ceil(LOCAL_RADIUS * Math.max(mask.width, mask.height));
  const how =
    options.fit === "none" ? { ...EXACT, radius, epsilon } : { radius: wide, epsilon: LOCAL_EPSILON, exact: false };
  const [seen, answered] = [cropTo(input, part), cropTo(output, part)];
  return fieldMap(full, fitColourField(seen, answered, sureIn(mask, part), global.change, how), part);
}

/** Interpolates transforms linearly. */
function fieldMap(full: Size, field: ColourField, { whole, x: left0, y: top0 }: Part): RowMap {
  const column = placeOn(left0, field.width, whole.width / full.width);
  const line = placeOn(top0, field.height, whole.height / full.height);
  const stride = field.width * TERMS;
  const blended = new Float32Array(stride);
  const start = (y: number, x0: number, x1: number): void => {
    const v = line(y);
    const top = Math.floor(v);
    const bottom = Math.min(top + 1, field.height - 1);
    const first = Math.floor(column(x0)) * TERMS;
    const last = Math.min(stride, (Math.floor(column(x1 - 1)) + 2) * TERMS);
    for (let i = first; i < last; i++) {
      const a = field.data[top * stride + i] as number;
      blended[i] = a + (v - top) * ((field.data[bottom * stride + i] as number) - a);
    }
  };
  const at = (x: number, colour: Float64Array, out: Float64Array): void => {
    const u = column(x);
    const left = Math.floor(u);
    const across = u - left;
    const a = left * TERMS;
    const b = Math.min(left + 1, field.width - 1) * TERMS;
    const [r, g, bl] = [colour[0] as number, colour[1] as number, colour[2] as number];
    for (let i = 0; i < 3; i++) {
      const k = 3 * i;
      const onLeft =
        (blended[a + k] as number) * r +
        (blended[a + k + 1] as number) * g +
        (blended[a + k + 2] as number) * bl +
        (blended[a + 9 + i] as number);
      const onRight =
        (blended[b + k] as number) * r +
        (blended[b + k + 1] as number) * g +
        (blended[b + k + 2] as number) * bl +
        (blended[b + 9 + i] as number);
      out[i] = (colour[i] as number) + onLeft + across * (onRight - onLeft);
    }
  };
  return { start, at };
}
