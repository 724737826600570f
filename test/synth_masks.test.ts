/** Random masks: of the share that was asked for, soft by a pixel at most, and following what is in the picture. */
import { describe, expect, test } from "vitest";
import { Draws } from "../src/data/synth/random_draws.js";
import { randomRegion } from "../src/data/synth/regions.js";
import { placeSilhouette, randomShape, type Silhouette } from "../src/data/synth/shapes.js";
import { cropImage, drawWindow, flipSquare } from "../src/data/synth/window.js";
import { mulberry32 } from "../src/random.js";
import { photograph } from "./helpers/photographs.js";

const SIZE = 64;
const draws = (seed: number): Draws => new Draws(mulberry32(seed));
const shareOf = (mask: Uint8Array): number => mask.reduce((sum, value) => sum + value, 0) / (255 * mask.length);
const seeds = Array.from({ length: 40 }, (_, i) => i);

test("shapes are of about the share, where they lie in the picture whole", () => {
  const shares = seeds.map((seed) => shareOf(randomShape(SIZE, 0.1, draws(seed))));
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  expect(mean).toBeGreaterThan(0.07);
  expect(mean).toBeLessThan(0.13);
  expect(randomShape(SIZE, 0.1, draws(5))).toEqual(randomShape(SIZE, 0.1, draws(5)));
});

test("silhouettes keep their form at any size", () => {
  const data = new Float32Array(20 * 10).fill(1);
  const silhouette: Silhouette = { width: 20, height: 10, channels: 1, data, area: 200 };
  for (const seed of seeds) {
    const mask = placeSilhouette(silhouette, 256, 0.02, draws(seed));
    expect(shareOf(mask)).toBeGreaterThan(0.016);
    expect(shareOf(mask)).toBeLessThan(0.024);
  }
});

describe("regions", () => {
  /** A bright box on a dark ground, both with a little noise. */
  const uniform = mulberry32(9);
  const inBox = (i: number): boolean =>
    i % SIZE >= 20 && i % SIZE < 44 && Math.floor(i / SIZE) >= 16 && Math.floor(i / SIZE) < 48;
  const pixels = Uint8Array.from(
    { length: 3 * SIZE * SIZE },
    (_, p) => (inBox(Math.floor(p / 3)) ? 190 : 60) + 6 * uniform(),
  );
  const box = Uint8Array.from({ length: SIZE * SIZE }, (_, i) => (inBox(i) ? 255 : 0));

  test("are the things in the picture", () => {
    const apart = seeds.map((seed) => {
      const mask = randomRegion(pixels, SIZE, 0.02, draws(seed));
      const wrong = (other: (value: number) => number): number =>
        mask.reduce((sum, value, i) => sum + (value === other(box[i] ?? 0) ? 0 : 1), 0);
      return (
        Math.min(
          wrong((value) => value),
          wrong((value) => 255 - value),
        ) / mask.length
      );
    });
    expect(apart.filter((share) => share < 0.04).length).toBeGreaterThan(30);
  });

  test("grow to the share that is asked for, of a photograph that has more", () => {
    const photo = cropImage(photograph(3, SIZE, SIZE), { x: 0, y: 0, width: 1, height: 1 }).data as Uint8Array;
    for (const seed of seeds.slice(0, 10)) {
      const mask = randomRegion(photo, SIZE, 0.25, draws(seed));
      expect(shareOf(mask)).toBeGreaterThan(0.15);
      expect(mask.every((value) => value === 0 || value === 255)).toBe(true);
      expect(randomRegion(photo, SIZE, 0.25, draws(seed))).toEqual(mask);
    }
  });
});

test("windows lie in the picture, are nearly square, and keep an object", () => {
  const object = { width: 300, height: 200, data: new Uint8Array(300 * 200) };
  for (let y = 50; y < 120; y++) object.data.fill(1, y * 300 + 40, y * 300 + 140);
  for (const seed of seeds) {
    const { x, y, width, height } = drawWindow({ width: 300, height: 200 }, seed % 2 ? object : null, draws(seed));
    expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
    expect(Math.max(x + width, y + height)).toBeLessThanOrEqual(1 + 1e-12);
    const aspect = (300 * width) / (200 * height);
    if (width < 1) expect(Math.max(aspect, 1 / aspect)).toBeLessThan(4 / 3 + 1e-9);
  }
});

test("flipping twice is nothing", () => {
  const pixels = Uint8Array.from({ length: 5 * 5 * 3 }, (_, i) => i);
  expect(flipSquare(pixels, 5, 3).slice(0, 6)).toEqual(Uint8Array.from([12, 13, 14, 9, 10, 11]));
  expect(flipSquare(flipSquare(pixels, 5, 3), 5, 3)).toEqual(pixels);
});
