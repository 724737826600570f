/** Masks of random outlines and of silhouettes: 0 to 255 a pixel, edges a pixel soft. */
import type { Mask } from "../../image/mask.js";
import type { Draws } from "./random_draws.js";

/** A smooth closed outline, an ellipse, a tilted box or a hilly horizon, of about the given share of the picture. */
export function randomShape(size: number, share: number, draws: Draws): Uint8Array {
  const kind = draws.one(["blob", "blob", "ellipse", "box", "horizon"] as const);
  const inside = kind === "horizon" ? horizon(size, share, draws) : closed(kind, size, share, draws);
  const mask = new Uint8Array(size * size);
  for (let y = 0, i = 0; y < size; y++)
    for (let x = 0; x < size; x++) mask[i++] = 255 * Math.min(1, Math.max(0, 0.5 + inside(x + 0.5, y + 0.5)));
  return mask;
}

/** How many pixels a point lies inside, roughly; negative outside. */
type Inside = (x: number, y: number) => number;

function closed(kind: "blob" | "ellipse" | "box", size: number, share: number, draws: Draws): Inside {
  const [cx, cy] = [size * draws.between(0.2, 0.8), size * draws.between(0.2, 0.8)];
  const aspect = draws.scale(0.5, 2);
  const [cos, sin] = unit(draws.between(0, Math.PI));
  const radius = Math.sqrt((share * size * size) / (kind === "box" ? 4 : Math.PI));
  const waves = Array.from({ length: 6 }, (_, k) => ({
    amplitude: kind === "blob" ? draws.between(0, 0.5 / (k + 1)) : 0,
    phase: draws.between(0, 2 * Math.PI),
  }));
  return (x, y) => {
    const u = ((x - cx) * cos + (y - cy) * sin) / Math.sqrt(aspect);
    const v = ((y - cy) * cos - (x - cx) * sin) * Math.sqrt(aspect);
    if (kind === "box") return radius - Math.max(Math.abs(u), Math.abs(v));
    const angle = Math.atan2(v, u);
    const wave = waves.reduce((sum, { amplitude, phase }, k) => sum + amplitude * Math.sin((k + 1) * angle + phase), 1);
    return radius * wave - Math.hypot(u, v);
  };
}

function horizon(size: number, share: number, draws: Draws): Inside {
  const [cos, sin] = unit(draws.between(0, 2 * Math.PI));
  const waves = Array.from({ length: 4 }, (_, k) => ({
    amplitude: (size * draws.between(0, 0.08)) / (k + 1),
    phase: draws.between(0, 2 * Math.PI),
  }));
  return (x, y) => {
    const [u, v] = [(x - size / 2) * cos + (y - size / 2) * sin, (y - size / 2) * cos - (x - size / 2) * sin];
    const wave = waves.reduce(
      (sum, { amplitude, phase }, k) => sum + amplitude * Math.sin((2 * Math.PI * (k + 1) * u) / size + phase),
      0,
    );
    return v + wave - size * (0.5 - share);
  };
}

const unit = (angle: number): readonly [number, number] => [Math.cos(angle), Math.sin(angle)];

/** A cut-out's silhouette, cropped to its bounding box. */
export interface Silhouette extends Mask {
  /** Pixels that it covers, soft ones in part. */
  readonly area: number;
}

const MOST_TILT = Math.PI / 6;

/** The silhouette somewhere in the picture: turned a little, flipped half of the time, scaled to the share. */
export function placeSilhouette(silhouette: Silhouette, size: number, share: number, draws: Draws): Uint8Array {
  const scale = Math.sqrt((share * size * size) / silhouette.area);
  const [cos, sin] = unit(draws.between(-MOST_TILT, MOST_TILT));
  const flip = draws.chance(0.5) ? -1 : 1;
  const [cx, cy] = [size * draws.between(0.2, 0.8), size * draws.between(0.25, 0.8)];
  // Drawn after all else, so that whether edges are soft does not move the silhouette.
  const soft = draws.chance(0.5);
  const mask = new Uint8Array(size * size);
  for (let y = 0, i = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const [dx, dy] = [(x + 0.5 - cx) / scale, (y + 0.5 - cy) / scale];
      const u = flip * (dx * cos + dy * sin) + silhouette.width / 2;
      const v = dy * cos - dx * sin + silhouette.height / 2;
      const value = sample(silhouette, u - 0.5, v - 0.5);
      mask[i++] = soft ? 255 * value : value >= 0.5 ? 255 : 0;
    }
  return mask;
}

/** Bilinear; 0 outside. */
function sample({ width, height, data }: Mask, x: number, y: number): number {
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  if (x0 < -1 || y0 < -1 || x0 >= width || y0 >= height) return 0;
  const [fx, fy] = [x - x0, y - y0];
  const at = (u: number, v: number): number =>
    u < 0 || v < 0 || u >= width || v >= height ? 0 : (data[v * width + u] as number);
  const top = at(x0, y0) * (1 - fx) + at(x0 + 1, y0) * fx;
  return top * (1 - fy) + (at(x0, y0 + 1) * (1 - fx) + at(x0 + 1, y0 + 1) * fx) * fy;
}
