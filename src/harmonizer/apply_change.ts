/** A change of colour that is given, a table or a transform, painted into the masked objects: no network, no device. */
import { UsageError } from "../errors.js";
import { type ColourMap, type ColourTransform, checkTransform, mapOf } from "../image/colour_transform.js";
import { type Lut, mapOfLut } from "../image/cube.js";
import { mappedRows } from "../image/guided_upsample.js";
import { type Image, type ImageDataLike, toImageData } from "../image/image.js";
import type { Mask } from "../image/mask.js";
import { paste } from "../image/paste.js";
import { joinedWeight } from "./objects.js";
import type { HarmonizeInput, HarmonizeOptions } from "./options.js";
import { prepare } from "./prepare.js";

export interface ApplyResult<Picture> {
  readonly image: Picture;
  /** The mask that was used; of several, all together. */
  readonly mask: Mask;
}

/**
 * Gives the masked objects the changes that are given, at full size: what is not masked stays bit for bit, soft edges get
 * theirs in proportion. Colours are the picture's own encoded samples, 0 to 1.
 * @param changes one for all objects, or one an object; in a list, too
 * @throws InputError for masks as `Harmonizer.harmonize`; UsageError for another number of changes than objects
 */
export function applyChange<Picture extends Image | ImageDataLike>(
  input: HarmonizeInput<Picture>,
  changes: Lut | ColourTransform | readonly (Lut | ColourTransform)[],
  options: Pick<HarmonizeOptions, "strength" | "feather" | "invertMask" | "names"> = {},
): ApplyResult<Picture> {
  const { picture, objects } = prepare(input, options);
  const maps = listOf(changes).map(toMap);
  if (maps.length !== 1 && maps.length !== objects.length)
    throw new UsageError(
      `${maps.length} changes of colour for ${objects.length} objects: give one for all, or one an object`,
    );
  let result = picture;
  for (const [index, { seen, weight }] of objects.entries()) {
    const map = (maps.length === 1 ? maps[0] : maps[index]) as ColourMap;
    result = paste(result, mappedRows(result, seen, map), weight, { strength: options.strength ?? 1 });
  }
  const returned = "channels" in input.image ? result : toImageData(result);
  return { image: returned as unknown as Picture, mask: joinedWeight(objects) };
}

type Change = Lut | ColourTransform;

function listOf(changes: Change | readonly Change[]): readonly Change[] {
  if (!Array.isArray(changes)) return [changes as Lut];
  const [first] = changes as readonly unknown[];
  const isTransform = Array.isArray(first) && !Array.isArray(first[0]);
  return isTransform ? [changes as unknown as ColourTransform] : (changes as readonly Change[]);
}

const toMap = (change: Change): ColourMap => ("data" in change ? mapOfLut(change) : mapOf(checkTransform(change)));
