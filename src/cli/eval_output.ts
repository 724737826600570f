/** A network's output as it is, for measuring: `Harmonizer` gives only what users get, which ends at the mask. */
import type { CompileProgress } from "../graph/compile.js";
import { fromFloat, stackMask, toFloatRgb } from "../image/float.js";
import type { Image } from "../image/image.js";
import { checkMask, type Mask } from "../image/mask.js";
import { cropImage, reflectPad } from "../image/pad.js";
import { sizeMultiple } from "../model/config.js";
import { finiteOutput, type Network } from "../model/network.js";

export interface WholeOutputOptions {
  /** What messages call the inputs. */
  readonly names: { readonly image: string; readonly mask: string };
  readonly onProgress: (progress: CompileProgress) => void;
}

/**
 * The network run at the picture's own size, padded by reflection where it must be, its output clamped and rounded to 8
 * bits everywhere.
 * @param image 8-bit RGB
 * @throws InputError for a mask that is empty or of another size; WeightsError for an output that is not finite
 */
export async function wholeOutput(
  network: Network,
  image: Image,
  mask: Mask,
  { names, onProgress }: WholeOutputOptions,
): Promise<Image> {
  checkMask(mask, image, names);
  const x = reflectPad(stackMask(toFloatRgb(image), mask), sizeMultiple(network.model.config));
  const data = finiteOutput(await network.run(x.data, [1, x.height, x.width], { onProgress }), network.dtype);
  return fromFloat(cropImage({ width: x.width, height: x.height, channels: 3, data }, image.width, image.height));
}
