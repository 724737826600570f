/** All that can be wrong with an input and its options, found without a device; and what is made of them on the way. */
import { type Reference, readReference } from "../image/background.js";
import { dropAlpha, type Image, type ImageDataLike, toImage } from "../image/image.js";
import { type Size, workingSize } from "../image/resize.js";
import { maskName, masksOf, type PastedObject, stackObjects } from "./objects.js";
import { checkOptions, DEFAULT_WORKING_SIZE, type HarmonizeInput, type HarmonizeOptions } from "./options.js";

export interface Prepared {
  /** What is harmonized: opaque where the alpha was the mask, for then all its colours are seen. */
  readonly picture: Image;
  readonly objects: readonly PastedObject[];
  /** At which the network runs. */
  readonly size: Size;
  readonly reference: Reference | null;
}

/** @throws InputError, UsageError: see `Harmonizer.harmonize` */
export function prepare<Picture extends Image | ImageDataLike>(
  input: HarmonizeInput<Picture>,
  options: HarmonizeOptions,
): Prepared {
  checkOptions(options);
  const names = options.names ?? { image: "image", mask: "mask" };
  const image = toImage(input.image, names.image);
  const masks = masksOf(image, input, options.invertMask ?? false, names);
  const objects = stackObjects(masks, options, (index) => maskName(names, index, masks.length));
  const picture = input.mask || input.masks ? image : dropAlpha(image);
  const size = workingSize(image.width, image.height, options.workingSize ?? DEFAULT_WORKING_SIZE);
  const reference = options.reference ? readReference(picture, options.reference, masks, size) : null;
  return { picture, objects, size, reference };
}
