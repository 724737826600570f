/** What is pasted into a picture: one object a mask. */
import { InputError, UsageError } from "../errors.js";
import { type Image, type ImageDataLike, toImage } from "../image/image.js";
import { checkMask, featherMask, invertMask, type Mask, maskFromAlpha, maskFromImage } from "../image/mask.js";
import type { HarmonizeInput, HarmonizeOptions, InputNames } from "./options.js";

export interface PastedObject {
  /** As it was drawn. */
  readonly mask: Mask;
  /** The part that no later object lies on: what of each pixel is this one's. */
  readonly seen: Mask;
  /** How much of the change each pixel takes: `seen`, faded in from the mask's edge. */
  readonly weight: Mask;
}

/**
 * The masks of an input, checked.
 * @throws InputError for one that is missing, empty, of another size or out of range; UsageError for none, or both forms
 */
export function masksOf(
  image: Image,
  { mask, masks }: Pick<HarmonizeInput<Image>, "mask" | "masks">,
  invert: boolean,
  names: InputNames,
): Mask[] {
  if (mask && masks) throw new UsageError("harmonize: give mask or masks, not both");
  if (masks && masks.length === 0) throw new UsageError("harmonize: masks is an empty list; expected one an object");
  if (masks)
    return masks.map((given, index) => readMask(given, image, invert, maskName(names, index, masks.length), names));
  if (mask) return [readMask(mask, image, invert, names.mask, names)];
  const alpha = maskFromAlpha(image, names.image);
  return [checked(invert ? invertMask(alpha) : alpha, image, `the alpha of ${names.image}`, names)];
}

/** What messages call one of several masks. */
export const maskName = (names: InputNames, index: number, count: number): string =>
  names.masks?.[index] ?? (count === 1 ? names.mask : `${names.mask} ${index + 1}`);

function readMask(
  given: Image | ImageDataLike | Mask | undefined,
  image: Image,
  invert: boolean,
  name: string,
  names: InputNames,
): Mask {
  if (!given) throw new InputError(`${name}: missing; expected a picture or an array of the size of ${names.image}`);
  const isFloat = (mask: Image | ImageDataLike | Mask): mask is Mask => mask.data instanceof Float32Array;
  const mask = isFloat(given) ? checkRange(given, name) : maskFromImage(toImage(given, name));
  return checked(invert ? invertMask(mask) : mask, image, name, names);
}

function checked(mask: Mask, image: Image, name: string, names: InputNames): Mask {
  checkMask(mask, image, { image: names.image, mask: name });
  return mask;
}

function checkRange(mask: Mask, name: string): Mask {
  const bad = mask.data.findIndex((value) => !(value >= 0 && value <= 1));
  if (bad >= 0) throw new InputError(`${name}: values must lie in 0..1, element ${bad} is ${mask.data[bad]}`);
  return mask;
}

/**
 * The objects in their order, later ones on top: a pixel that several claim is the later one's, and an earlier one has what
 * is left of it. Masks that share soft edges without lying on each other keep theirs whole.
 * @throws InputError for an object that later ones hide altogether
 */
export function stackObjects(
  masks: readonly Mask[],
  { feather = 0 }: Pick<HarmonizeOptions, "feather">,
  nameOf: (index: number) => string,
): PastedObject[] {
  const objects: PastedObject[] = [];
  let above: Float32Array | null = null;
  for (const [index, mask] of [...masks.entries()].reverse()) {
    const seen = below(mask, above);
    // Two masks that are equal leave each other the soft edge: up to half of a pixel.
    if (seen !== mask && mostOf(seen) <= mostOf(mask) / 2) {
      throw new InputError(`${nameOf(index)}: all of it lies under later masks; leave it out, or put it after them`);
    }
    const weight = feather === 0 ? seen : below(featherMask(mask, feather), above);
    objects.unshift({ mask, seen, weight });
    if (index === 0) break;
    const sum: Float32Array = above ?? new Float32Array(mask.data.length);
    for (let p = 0; p < sum.length; p++) sum[p] = Math.min(1, (sum[p] as number) + (mask.data[p] as number));
    above = sum;
  }
  return objects;
}

const mostOf = ({ data }: Mask): number => data.reduce((most, value) => Math.max(most, value), 0);

/** What a layer above leaves of a mask; the mask itself where it leaves all. */
function below(mask: Mask, above: Float32Array | null): Mask {
  const left = (p: number): number => 1 - ((above?.[p] ?? 0) as number);
  if (above === null || mask.data.every((value, p) => value <= left(p))) return mask;
  return { ...mask, data: mask.data.map((value, p) => Math.min(value, left(p))) };
}

/** Where any of the objects changed the picture, and how much. */
export function joinedWeight(objects: readonly PastedObject[]): Mask {
  const [first, ...rest] = objects as readonly [PastedObject, ...PastedObject[]];
  if (rest.length === 0) return first.weight;
  const data = first.weight.data.slice();
  for (const { weight } of rest)
    for (let p = 0; p < data.length; p++) data[p] = Math.min(1, (data[p] as number) + (weight.data[p] as number));
  return { ...first.weight, data };
}
