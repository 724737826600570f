/** What the network is shown in the background's place: other objects painted over, a reference mirrored to all sides. */
import { describe, expect, it } from "vitest";
import { InputError, UsageError } from "../src/errors.js";
import { beforeReference, checkRegion, hideOthers, readReference } from "../src/image/background.js";
import { type FloatImage, newFloatImage, toFloatRgb } from "../src/image/float.js";
import type { Image } from "../src/image/image.js";
import type { Mask } from "../src/image/mask.js";
import { pattern } from "./image_fixtures.js";

const [W, H] = [64, 48];
type Box = readonly [x0: number, y0: number, x1: number, y1: number];

function box([x0, y0, x1, y1]: Box, width = W, height = H): Mask {
  const mask = newFloatImage(width, height, 1);
  for (let y = y0; y < y1; y++) mask.data.fill(1, y * width + x0, y * width + x1);
  return mask;
}
const at = ({ width, data }: FloatImage<3>, x: number, y: number): number[] => [
  ...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3),
];
/** Red on the left half, blue on the right, green and white where boxes are. */
function painted(boxes: readonly (readonly [Mask, readonly number[]])[]): FloatImage<3> {
  const image = newFloatImage(W, H, 3);
  for (let p = 0; p < W * H; p++) {
    image.data.set(p % W < W / 2 ? [1, 0, 0] : [0, 0, 1], 3 * p);
    for (const [mask, colour] of boxes) if (mask.data[p] === 1) image.data.set(colour, 3 * p);
  }
  return image;
}

describe("hiding other objects", () => {
  const own = box([4, 8, 20, 40]);
  const other = box([40, 8, 56, 40]);
  const picture = painted([
    [own, [0, 1, 0]],
    [other, [1, 1, 1]],
  ]);

  it("paints them over from the background around them, with their edge, and leaves all else", () => {
    const result = hideOthers(picture, own, own, [other]);
    const hidden = box([38, 6, 58, 42]);
    for (let p = 0; p < W * H; p++) {
      const [x, y] = [p % W, Math.floor(p / W)];
      if (hidden.data[p] === 0) expect(at(result, x, y)).toEqual(at(picture, x, y));
      else if (x >= 48) expect(at(result, x, y)[2]).toBeGreaterThan(0.5);
    }
    expect(result.data.every((value, i) => i % 3 !== 1 || value < 0.5 || own.data[Math.floor(i / 3)] === 1)).toBe(true);
    expect(hideOthers(picture, own, own, [])).toBe(picture);
  });

  it("continues the object where another lies on top of it, and keeps every pixel that is its own", () => {
    const top = box([10, 16, 30, 30]);
    const seen = { ...own, data: own.data.map((m, p) => Math.min(m, 1 - (top.data[p] as number))) };
    const both = painted([
      [own, [0, 1, 0]],
      [top, [1, 1, 1]],
    ]);
    const result = hideOthers(both, own, seen, [top]);
    for (let p = 0; p < W * H; p++) {
      const [x, y] = [p % W, Math.floor(p / W)];
      if (seen.data[p] === 1) expect(at(result, x, y)).toEqual(at(both, x, y));
      if (own.data[p] === 1) expect(at(result, x, y)).toEqual([0, 1, 0]);
      else expect(at(result, x, y)[1]).toBe(0);
    }
  });

  it("leaves the picture where nothing is known to paint with", () => {
    const all = box([0, 0, W, H]);
    expect(hideOthers(picture, all, box([0, 0, 4, 4]), [all]).data.every(Number.isFinite)).toBe(true);
  });
});

describe("a reference", () => {
  const image = pattern(W, H);
  const floats = toFloatRgb(image);
  const own = box([24, 16, 40, 32]);
  const size = { width: W, height: H };

  it("stands where it is, mirrored from there on; the object stays with its surroundings of a pixel", () => {
    const region = { x: 2, y: 3, width: 12, height: 9 };
    const result = beforeReference(floats, own, readReference(image, region, [own], size));
    for (let y = 15; y < 33; y++) for (let x = 23; x < 41; x++) expect(at(result, x, y)).toEqual(at(floats, x, y));
    const close = (x: number, y: number, u: number, v: number): void =>
      at(result, x, y).forEach((value, c) => {
        expect(value).toBeCloseTo(at(floats, u, v)[c] as number, 6);
      });
    for (let y = 3; y < 12; y++) for (let x = 2; x < 14; x++) close(x, y, x, y);
    close(14, 5, 12, 5); // one beyond the right edge is one before it
    close(1, 5, 3, 5);
    close(5, 12, 5, 10);
    close(60, 44, 10, 10); // 58 columns on, of a period of 22; 41 rows, of one of 16
  });

  it("is reduced with the picture, and what is pasted into it is painted over", () => {
    const data = new Uint8Array(W * H * 3);
    for (let p = 0; p < W * H; p++) data.set(own.data[p] === 1 ? [0, 255, 0] : [200, 0, 100], 3 * p);
    const reference = readReference({ ...image, data }, { x: 16, y: 8, width: 40, height: 32 }, [own], {
      width: 32,
      height: 24,
    });
    expect([reference.x, reference.y, reference.tile.width, reference.tile.height]).toEqual([8, 4, 20, 16]);
    reference.tile.data.forEach((value, i) => {
      expect(value).toBeCloseTo(([200, 0, 100][i % 3] as number) / 255, 5);
    });
  });

  const whole = { x: 0, y: 0, width: W, height: H };
  it.each([
    ["not whole numbers", { ...whole, x: 0.5 }, UsageError, /0\.5,0,64,48: expected x, y, width and height in whole/],
    ["not a number", { ...whole, width: Number.NaN }, UsageError, /whole pixels/],
    ["beyond the right", { ...whole, x: 1 }, InputError, /1,0,64,48 .*does not lie in the picture, which is 64 x 48/],
    ["above", { ...whole, y: -1 }, InputError, /does not lie in the picture/],
    ["empty", { ...whole, height: 0 }, InputError, /does not lie in the picture/],
    ["small", { x: 0, y: 0, width: 7, height: 20 }, InputError, /is 7 x 20 pixels at 64 x 48.*choose at least 8 x 8/],
    ["in the mask", { x: 26, y: 18, width: 10, height: 10 }, InputError, /26,18,10,10 holds no background at all/],
    ["nearly in the mask", { x: 26, y: 16, width: 10, height: 17 }, InputError, /holds hardly any background/],
  ])("%s is refused", (_, region, type, message) => {
    const refused = (): unknown => readReference(image, region, [own], size);
    expect(refused).toThrow(type);
    expect(refused).toThrow(message);
  });

  it("the least size is told in pixels of the picture", () => {
    const large: Image = pattern(4 * W, 4 * H);
    const mask = box([0, 0, 1, 1], 4 * W, 4 * H);
    const refused = (): unknown => readReference(large, { x: 9, y: 9, width: 29, height: 50 }, [mask], size);
    expect(refused).toThrow(/is 7 x 13 pixels at 64 x 48, where the network runs.*at least 32 x 32/);
    expect(() => checkRegion({ x: 9, y: 9, width: 29, height: 50 }, large)).not.toThrow();
  });
});
