/**
 * The mask says which pixels are foreground: 1 is changed, 0 is left alone to the last bit. It comes from a gray or
 * colour picture, or from the alpha channel of the composite itself.
 */
import { InputError, UsageError } from "../errors.js";
import { distanceToZero } from "./distance.js";
import { type FloatImage, newFloatImage } from "./float.js";
import { alphaOf, colourChannels, hasAlpha, type Image, maxSample } from "./image.js";

/** [height, width] in [0, 1]. */
export type Mask = FloatImage<1>;

/** A half-open rectangle of pixels. */
export interface Box {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/**
 * A mask picture as numbers: luminance (Rec. 601, as PIL's "L"), times alpha where there is one, so that white shapes
 * on a transparent ground work too.
 */
export function maskFromImage(image: Image): Mask {
  const { width, height, channels, data } = image;
  const mask = newFloatImage(width, height, 1);
  const colour = colourChannels(image);
  const alpha = hasAlpha(image);
  const max = maxSample(image);
  for (let i = 0, s = 0; i < mask.data.length; i++, s += channels) {
    const r = data[s] as number;
    const g = data[s + (colour === 3 ? 1 : 0)] as number;
    const b = data[s + (colour === 3 ? 2 : 0)] as number;
    // Neutral colours, that is nearly every mask, must come out exact: 255 is 1, not 0.99999994.
    const luminance = (r === g && g === b ? r : 0.299 * r + 0.587 * g + 0.114 * b) / max;
    mask.data[i] = alpha ? (luminance * (data[s + colour] as number)) / max : luminance;
  }
  return mask;
}

/**
 * The alpha channel of a composite as its mask.
 * @throws InputError when there is none, or when it is opaque everywhere and so marks nothing.
 */
export function maskFromAlpha(image: Image, name = "image"): Mask {
  const alpha = alphaOf(image);
  if (!alpha)
    throw new InputError(`${name}: no mask was given, and the picture has no alpha channel to use as one; give a mask`);
  const max = maxSample(image);
  if (alpha.data.every((value) => value === max))
    throw new InputError(
      `${name}: no mask was given, and the picture's alpha channel is opaque everywhere, so it marks no foreground; give a mask`,
    );
  return maskFromImage(alpha);
}

/** 1 - mask. */
export function invertMask(mask: Mask): Mask {
  return { ...mask, data: mask.data.map((value) => 1 - value) };
}

/**
 * @throws InputError when the mask has another size than the image, or is 0 everywhere. A mask of ones is fine.
 */
export function checkMask(
  mask: Mask,
  image: { readonly width: number; readonly height: number },
  names = { mask: "mask", image: "image" },
): void {
  if (mask.width !== image.width || mask.height !== image.height)
    throw new InputError(
      `${names.mask} is ${mask.width} x ${mask.height} pixels and ${names.image} ${image.width} x ${image.height}: they must be the same size`,
    );
  if (!mask.data.some((value) => value > 0))
    throw new InputError(
      `${names.mask}: empty, no pixel is marked as foreground (white is foreground; --invert-mask takes black as foreground)`,
    );
}

/** The smallest rectangle that holds every pixel above 0; null when there is none. */
export function boundingBox({ width, height, data }: Mask): Box | null {
  let [x0, y0, x1, y1] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let first = 0;
    while (first < width && !((data[row + first] as number) > 0)) first++;
    if (first === width) continue;
    let last = width - 1;
    while (!((data[row + last] as number) > 0)) last--;
    x0 = Math.min(x0, first);
    x1 = Math.max(x1, last + 1);
    if (y < y0) y0 = y;
    y1 = y + 1;
  }
  return x1 === 0 ? null : { x0, y0, x1, y1 };
}

/**
 * Softens the mask inwards: over the `pixels` pixels next to the outside, values rise linearly with the distance to it.
 * What was 0 stays 0 and nothing grows; the picture's own border is no edge, so a full mask stays full.
 */
export function featherMask(mask: Mask, pixels: number): Mask {
  if (!(pixels >= 0 && Number.isFinite(pixels)))
    throw new UsageError(`feather is a number of pixels, 0 or more; got ${pixels}`);
  const box = boundingBox(mask);
  if (pixels === 0 || !box) return mask;
  // One pixel more on each side: the nearest outside is there, or it is the picture's border.
  const x0 = Math.max(0, box.x0 - 1);
  const y0 = Math.max(0, box.y0 - 1);
  const width = Math.min(mask.width, box.x1 + 1) - x0;
  const height = Math.min(mask.height, box.y1 + 1) - y0;
  const inside = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0, s = (y0 + y) * mask.width + x0; x < width; x++, s++)
      inside[y * width + x] = mask.data[s] === 0 ? 0 : 1;
  const distance = distanceToZero(inside, width, height);

  const data = mask.data.slice();
  for (let y = 0; y < height; y++)
    for (let x = 0, p = (y0 + y) * mask.width + x0; x < width; x++, p++) {
      const d = distance[y * width + x] as number;
      if (d < pixels + 1) data[p] = ((data[p] as number) * d) / (pixels + 1);
    }
  return { ...mask, data };
}
