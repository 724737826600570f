/** Soft-edged composites whose right result is known: the foreground changes colour, in proportion to its share. */
import { type FloatImage, newFloatImage } from "../../src/image/float.js";
import type { Image } from "../../src/image/image.js";
import type { Mask } from "../../src/image/mask.js";
import { mulberry32 } from "../../src/random.js";

export type Colour = readonly [r: number, g: number, b: number];
export type Transform = (colour: Colour) => Colour;
export const EDGES = ["smooth over a pixel", "smooth over 12 pixels", "hairy"] as const;
export type Edge = (typeof EDGES)[number];

const clamp = (value: number): number => Math.min(1, Math.max(0, value));

/** A disc; hairy, strands of one to three pixels and some transparency stand off it. */
export function discMask(width: number, height: number, edge: Edge): Mask {
  const mask = newFloatImage(width, height, 1);
  const radius = 0.28 * height;
  const [cx, cy] = [width / 2, height / 2];
  const softness = edge === "smooth over 12 pixels" ? 12 : 1;
  for (let p = 0; p < mask.data.length; p++) {
    const inside = radius - Math.hypot((p % width) + 0.5 - cx, Math.floor(p / width) + 0.5 - cy);
    mask.data[p] = clamp(0.5 + inside / softness);
  }
  if (edge !== "hairy") return mask;
  const random = mulberry32(5);
  for (let strand = 0; strand < 90; strand++) {
    const angle = 2 * Math.PI * random();
    const length = radius * (0.2 + 0.3 * random());
    const thickness = 0.6 + 2 * random();
    const opacity = 0.3 + 0.6 * random();
    for (let t = -3; t < length; t += 0.5) {
      const [x, y] = [cx + (radius + t) * Math.cos(angle), cy + (radius + t) * Math.sin(angle)];
      const reach = (thickness * (1 - t / length)) / 2 + 0.3;
      for (let v = Math.floor(y) - 3; v <= y + 3; v++)
        for (let u = Math.floor(x) - 3; u <= x + 3; u++) {
          const value = opacity * clamp(0.5 + reach - Math.hypot(u + 0.5 - x, v + 0.5 - y));
          const p = v * width + u;
          mask.data[p] = Math.max(mask.data[p] as number, value);
        }
    }
  }
  return mask;
}

/** Waves of colour round a mean; flat with an amplitude of 0. */
export function surface(width: number, height: number, mean: Colour, amplitude: number, seed: number): FloatImage<3> {
  const random = mulberry32(seed);
  const waves = [3, 9, 31, 70].flatMap((frequency) =>
    [0, 1].map(() => ({ frequency, angle: 6.28 * random(), phase: 6.28 * random(), tint: random() - 0.5 })),
  );
  const out = newFloatImage(width, height, 3);
  for (let p = 0; p < width * height; p++) {
    const [u, v] = [(p % width) / height, Math.floor(p / width) / height];
    for (let c = 0; c < 3; c++) {
      const sum = waves.reduce(
        (total, { frequency, angle, phase, tint }) =>
          total +
          (1 + tint * (c - 1)) * Math.sin(6.28 * frequency * (u * Math.cos(angle) + v * Math.sin(angle)) + phase),
        0,
      );
      out.data[3 * p + c] = clamp((mean[c] as number) + amplitude * (sum / waves.length));
    }
  }
  return out;
}

export function transformed(image: FloatImage<3>, transform: Transform): FloatImage<3> {
  const out = newFloatImage(image.width, image.height, 3);
  for (let p = 0; p < out.data.length; p += 3) {
    const [r, g, b] = [image.data[p], image.data[p + 1], image.data[p + 2]] as [number, number, number];
    out.data.set(transform([r, g, b]).map(clamp), p);
  }
  return out;
}

/** The mask's share of the foreground over the background. */
export function over(foreground: FloatImage<3>, background: FloatImage<3>, mask: Mask): FloatImage<3> {
  const out = newFloatImage(mask.width, mask.height, 3);
  for (let i = 0; i < out.data.length; i++) {
    const share = mask.data[Math.floor(i / 3)] as number;
    out.data[i] = share * (foreground.data[i] as number) + (1 - share) * (background.data[i] as number);
  }
  return out;
}

/** Levels of 255 between a picture and what it should be, where the mask is soft. */
export function edgeErrors(result: Image, ideal: FloatImage<3>, mask: Mask): { largest: number; rms: number } {
  let [largest, squares, count] = [0, 0, 0];
  for (let i = 0; i < ideal.data.length; i++) {
    const share = mask.data[Math.floor(i / 3)] as number;
    if (share === 0 || share === 1) continue;
    const error = Math.abs((result.data[i] as number) - 255 * (ideal.data[i] as number));
    largest = Math.max(largest, error);
    squares += error ** 2;
    count++;
  }
  return { largest, rms: Math.sqrt(squares / count) };
}
