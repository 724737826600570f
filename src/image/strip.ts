/** Before, mask, after (and the real photo, where there is one) side by side: what one shows to judge a result. */
import { InputError, ShapeError } from "../errors.js";
import { fromFloat } from "./float.js";
import { dropAlpha, grayToRgb, type Image, to8Bit } from "./image.js";
import type { Mask } from "./mask.js";
import { resizeToRgb, workingSize } from "./resize.js";

export interface StripOptions {
  /** Panels are reduced to at most this many pixels on their longer side. Default 1024. */
  readonly maxPanel?: number;
}

const SEPARATOR = 4;
const SEPARATOR_GRAY = 255;

/** A mask as an 8-bit gray picture. */
export const maskToImage = (mask: Mask): Image => fromFloat(mask);

/**
 * Joins panels of one size from left to right with thin white separators, as 8-bit RGB; alpha is left out.
 * @throws InputError when sizes differ.
 */
export function compareStrip(panels: readonly Image[], options: StripOptions = {}): Image {
  const [first] = panels;
  if (!first) throw new InputError("comparison strip: no pictures were given");
  const odd = panels.find((panel) => panel.width !== first.width || panel.height !== first.height);
  if (odd)
    throw new InputError(
      `comparison strip: pictures of ${first.width} x ${first.height} and ${odd.width} x ${odd.height} cannot stand side by side`,
    );
  const size = workingSize(first.width, first.height, options.maxPanel ?? 1024);
  const width = panels.length * (size.width + SEPARATOR) - SEPARATOR;
  const data = new Uint8Array(width * size.height * 3).fill(SEPARATOR_GRAY);
  panels.forEach((panel, i) => {
    const rgb = panelPixels(panel, size);
    const left = i * (size.width + SEPARATOR) * 3;
    for (let y = 0; y < size.height; y++)
      data.set(rgb.data.subarray(y * size.width * 3, (y + 1) * size.width * 3), y * width * 3 + left);
  });
  return { width, height: size.height, channels: 3, depth: 8, data };
}

/** Strips of one width below each other, with the same separators. */
export function stackStrips(strips: readonly Image[]): Image {
  const [first] = strips;
  if (!first) throw new InputError("stacked strips: no pictures were given");
  const { width } = first;
  const height = strips.reduce((sum, strip) => sum + strip.height + SEPARATOR, -SEPARATOR);
  const data = new Uint8Array(width * height * 3).fill(SEPARATOR_GRAY);
  let top = 0;
  for (const strip of strips) {
    if (strip.width !== width || strip.channels !== 3 || strip.depth !== 8)
      throw new ShapeError("stacked strips: expected 8-bit RGB pictures of one width");
    data.set(strip.data, top * width * 3);
    top += strip.height + SEPARATOR;
  }
  return { width, height, channels: 3, depth: 8, data };
}

function panelPixels(panel: Image, size: { width: number; height: number }): Image {
  if (panel.width === size.width && panel.height === size.height) return grayToRgb(dropAlpha(to8Bit(panel)));
  return fromFloat(resizeToRgb(panel, size.width, size.height));
}
