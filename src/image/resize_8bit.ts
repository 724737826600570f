/**
 * Resizing 8-bit pictures to the very bits that Pillow makes of them: weights of 22 binary places, and rounding to 8 bits
 * between the two passes as well as after them. Published measures of this field were taken on such pictures.
 */
import { ShapeError } from "../errors.js";
import type { Image } from "./image.js";
import { type Filter, filterTaps, type Taps } from "./resize.js";

const PRECISION = 2 ** 22;

/** `Image.resize((width, height), filter)`, every channel for itself; metadata is left behind. */
export function resize8Bit(image: Image, width: number, height: number, filter: Filter): Image {
  if (image.depth !== 8) throw new ShapeError(`resize8Bit: expected 8-bit samples, got ${image.depth}-bit ones`);
  const { channels } = image;
  let data: ArrayLike<number> = image.data;
  if (width !== image.width) {
    const along = { position: channels, line: image.width * channels, lines: image.height };
    data = pass(data, filterTaps(filter, image.width, width), channels, along, {
      position: channels,
      line: width * channels,
    });
  }
  if (height !== image.height) {
    const down = { position: width * channels, line: channels, lines: width };
    data = pass(data, filterTaps(filter, image.height, height), channels, down, {
      position: width * channels,
      line: channels,
    });
  }
  return { width, height, channels, depth: 8, data: Uint8Array.from(data) };
}

/** How far apart two positions of a line, and two lines, lie in memory. */
interface Stride {
  readonly position: number;
  readonly line: number;
}

function pass(
  data: ArrayLike<number>,
  { first, count, weights, stride }: Taps,
  channels: number,
  from: Stride & { readonly lines: number },
  to: Stride,
): Uint8Array {
  const length = first.length;
  const fixed = Float64Array.from(weights, (weight) => Math.trunc(weight * PRECISION + (weight < 0 ? -0.5 : 0.5)));
  const out = new Uint8Array(length * from.lines * channels);
  for (let line = 0; line < from.lines; line++)
    for (let i = 0; i < length; i++) {
      const start = line * from.line + (first[i] as number) * from.position;
      const end = count[i] as number;
      for (let c = 0; c < channels; c++) {
        let sum = PRECISION / 2;
        for (let k = 0, w = i * stride, s = start + c; k < end; k++, w++, s += from.position)
          sum += (fixed[w] as number) * (data[s] as number);
        const value = Math.floor(sum / PRECISION);
        out[line * to.line + i * to.position + c] = value < 0 ? 0 : value > 255 ? 255 : value;
      }
    }
  return out;
}
