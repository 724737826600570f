/**
 * Carries colours from where they are known to everywhere: pull-push (Gortler et al., "The Lumigraph", 1996, section 3.4).
 * Weighted means are gathered into ever coarser pictures until every pixel of one is known; on the way back each level keeps
 * what it knows itself and takes the rest from the coarser one, interpolated. Linear in the number of pixels.
 */
import { ShapeError } from "../errors.js";
import { type FloatImage, newFloatImage } from "./float.js";

/**
 * @param weight how far each pixel of `image` is to be trusted, 0 to 1: [height, width]. Of what lies between, the share
 *   that is missing comes from its surroundings. Where nothing is trusted at all, the result is 0.
 */
export function extend<C extends number>(image: FloatImage<C>, weight: Float32Array): FloatImage<C> {
  const { width, height } = image;
  if (weight.length !== width * height) {
    throw new ShapeError(`extend: the image is ${width}x${height}, its weights are ${weight.length}`);
  }
  if (width === 1 && height === 1) return (weight[0] as number) > 0 ? image : newFloatImage(1, 1, image.channels);
  const coarse = pull(image, weight);
  return push(image, weight, extend(coarse.image, coarse.weight));
}

/** Half the size: the weighted mean of each 2x2, trusted as its best pixel is. Many poor ones do not make a good one. */
function pull<C extends number>(
  { width, height, channels, data }: FloatImage<C>,
  weight: Float32Array,
): { readonly image: FloatImage<C>; readonly weight: Float32Array } {
  const halfWidth = Math.ceil(width / 2);
  const halfHeight = Math.ceil(height / 2);
  const half = newFloatImage(halfWidth, halfHeight, channels);
  const sums = new Float32Array(halfWidth * halfHeight);
  const most = new Float32Array(halfWidth * halfHeight);
  for (let y = 0, p = 0; y < height; y++)
    for (let x = 0; x < width; x++, p++) {
      const w = weight[p] as number;
      if (w === 0) continue;
      const q = (y >> 1) * halfWidth + (x >> 1);
      sums[q] = (sums[q] as number) + w;
      most[q] = Math.max(most[q] as number, w);
      for (let c = 0; c < channels; c++) {
        const at = q * channels + c;
        half.data[at] = (half.data[at] as number) + w * (data[p * channels + c] as number);
      }
    }
  for (let q = 0; q < sums.length; q++) {
    const sum = sums[q] as number;
    if (sum === 0) continue;
    for (let c = 0; c < channels; c++) {
      half.data[q * channels + c] = (half.data[q * channels + c] as number) / sum;
    }
  }
  return { image: half, weight: most };
}

/** Fills what is not trusted from the coarser picture, interpolated between the centres of its pixels. */
function push<C extends number>(
  { width, height, channels, data }: FloatImage<C>,
  weight: Float32Array,
  coarse: FloatImage<C>,
): FloatImage<C> {
  const out = newFloatImage(width, height, channels);
  const neighbour = (i: number, size: number): number => Math.min(size - 1, Math.max(0, (i >> 1) + (i & 1 ? 1 : -1)));
  for (let y = 0, p = 0; y < height; y++) {
    const near = (y >> 1) * coarse.width;
    const far = neighbour(y, coarse.height) * coarse.width;
    for (let x = 0; x < width; x++, p++) {
      const w = weight[p] as number;
      const [a, b] = [x >> 1, neighbour(x, coarse.width)];
      for (let c = 0; c < channels; c++) {
        const at = p * channels + c;
        const value = (q: number): number => coarse.data[q * channels + c] as number;
        const below = w < 1 ? (9 * value(near + a) + 3 * (value(near + b) + value(far + a)) + value(far + b)) / 16 : 0;
        out.data[at] = w > 0 ? w * (data[at] as number) + (1 - w) * below : below;
      }
    }
  }
  return out;
}
