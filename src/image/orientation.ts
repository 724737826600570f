/**
 * Cameras store the sensor's rows and a tag that says how to hold them. The pixels are turned once on reading, so that
 * image and mask agree and nothing downstream has to know.
 */
import { type Image, newSamples } from "./image.js";

/** EXIF orientation: 1 upright, 2 mirrored, 3 turned 180, 4 flipped, 5 transposed, 6 needs 90 clockwise, 7 transversed, 8 needs 90 counter-clockwise. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** Turns the pixels upright. Lossless; 5 to 8 exchange width and height. */
export function applyOrientation(image: Image, orientation: Orientation): Image {
  if (orientation === 1) return image;
  const { width, height, channels, depth, data } = image;
  const transposed = orientation >= 5;
  const outWidth = transposed ? height : width;
  const outHeight = transposed ? width : height;
  // In the output's frame: is the source read from its right end, from its bottom?
  const fromRight = orientation === 2 || orientation === 3 || orientation === 7 || orientation === 8;
  const fromBottom = orientation === 3 || orientation === 4 || orientation === 6 || orientation === 7;
  const start = ((fromBottom ? height - 1 : 0) * width + (fromRight ? width - 1 : 0)) * channels;
  const alongX = (fromRight ? -1 : 1) * channels;
  const alongY = (fromBottom ? -1 : 1) * width * channels;
  const stepX = transposed ? alongY : alongX;
  const stepY = transposed ? alongX : alongY;

  const out = newSamples(depth, data.length);
  for (let y = 0, p = 0; y < outHeight; y++) {
    for (let x = 0, s = start + y * stepY; x < outWidth; x++, s += stepX)
      for (let c = 0; c < channels; c++) out[p++] = data[s + c] as number;
  }
  return { ...image, width: outWidth, height: outHeight, data: out };
}
