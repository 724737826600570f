/** Before and after, for people to judge: whole pictures above, and below a part of the mask's edge, pixel for pixel. */
import { cropImage } from "../../../src/data/synth/window.js";
import type { Image } from "../../../src/image/image.js";
import { workingSize } from "../../../src/image/resize.js";
import { compareStrip, maskToImage, stackStrips } from "../../../src/image/strip.js";
import type { Pictures, Size } from "./measure.js";
import type { Zones } from "./measures.js";

const PANEL = 384;

/** Composite, mask, the results by working size with the largest last, photograph. */
export function stripOf({ composite, mask, real, results }: Pictures, zones: Zones): Image {
  const bySize = [...results].sort((a, b) => orderOf(a.size) - orderOf(b.size));
  const panels = [composite, maskToImage(mask), ...bySize.map(({ image }) => image), real];
  const { width, height } = workingSize(mask.width, mask.height, PANEL);
  const { x, y } = edgeWindow(zones, mask, width, height);
  const part = (image: Image): Image =>
    cropImage(image, {
      x: x / mask.width,
      y: y / mask.height,
      width: width / mask.width,
      height: height / mask.height,
    });
  return stackStrips([compareStrip(panels, { maxPanel: PANEL }), compareStrip(panels.map(part), { maxPanel: PANEL })]);
}

const orderOf = (size: Size): number => (size === "largest" ? Number.POSITIVE_INFINITY : size);

/** Round the middle one of the edge's pixels, row by row. */
function edgeWindow(
  zones: Zones,
  { width, height }: { width: number; height: number },
  w: number,
  h: number,
): { x: number; y: number } {
  const edge: number[] = [];
  zones.forEach((zone, p) => {
    if (zone === 1) edge.push(p);
  });
  const middle = edge[edge.length >> 1] ?? 0;
  const within = (centre: number, side: number, length: number): number =>
    Math.min(length - side, Math.max(0, centre - (side >> 1)));
  return { x: within(middle % width, w, width), y: within(Math.floor(middle / width), h, height) };
}
