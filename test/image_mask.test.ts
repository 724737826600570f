/** Masks: where they come from, what is refused, and feathering that only ever softens inwards. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError, UsageError } from "../src/errors.js";
import { distanceToZero } from "../src/image/distance.js";
import type { Image } from "../src/image/image.js";
import {
  boundingBox,
  checkMask,
  featherMask,
  invertMask,
  type Mask,
  maskFromAlpha,
  maskFromImage,
} from "../src/image/mask.js";
import { cpuStopwatch } from "./helpers/cpu_time.js";
import { pattern } from "./image_fixtures.js";

const mask = (width: number, values: readonly number[]): Mask => ({
  width,
  height: values.length / width,
  channels: 1,
  data: Float32Array.from(values),
});
const picture = (channels: Image["channels"], data: number[], depth: 8 | 16 = 8): Image => ({
  width: data.length / channels,
  height: 1,
  channels,
  depth,
  data: depth === 16 ? Uint16Array.from(data) : Uint8Array.from(data),
});

describe("masks from pictures", () => {
  it("gray and neutral RGB at 8 and 16 bits are exact", () => {
    expect([...maskFromImage(picture(1, [0, 51, 255])).data]).toEqual([0, Math.fround(0.2), 1]);
    expect([...maskFromImage(picture(1, [0, 13107, 65535], 16)).data]).toEqual([0, Math.fround(0.2), 1]);
    for (let v = 0; v < 256; v++) expect(maskFromImage(picture(3, [v, v, v])).data[0]).toBe(Math.fround(v / 255));
  });

  it("colour counts by luminance, and alpha multiplies", () => {
    expect(maskFromImage(picture(3, [255, 0, 0])).data[0]).toBeCloseTo(0.299, 6);
    expect([...maskFromImage(picture(4, [255, 255, 255, 0, 255, 255, 255, 255, 0, 0, 0, 255])).data]).toEqual([
      0, 1, 0,
    ]);
    expect([...maskFromImage(picture(2, [255, 51])).data]).toEqual([Math.fround(0.2)]);
  });

  it("a composite's alpha is its mask, unless it marks nothing", () => {
    expect([...maskFromAlpha(picture(4, [1, 2, 3, 0, 4, 5, 6, 255])).data]).toEqual([0, 1]);
    expect([...maskFromAlpha(picture(2, [9, 65535, 9, 0], 16)).data]).toEqual([1, 0]);
    expect(() => maskFromAlpha(picture(4, [1, 2, 3, 255]), "cup.png")).toThrow(
      /cup\.png: no mask was given.*opaque everywhere/,
    );
    expect(() => maskFromAlpha(picture(3, [1, 2, 3]))).toThrow(InputError);
  });

  it("inverts", () => {
    expect([...invertMask(mask(3, [0, 0.25, 1])).data]).toEqual([1, 0.75, 0]);
  });
});

describe("checks", () => {
  it("another size is refused, both sizes named", () => {
    const names = { mask: "m.png", image: "c.jpg" };
    expect(() => checkMask(mask(2, [1, 1]), pattern(3, 1), names)).toThrow(/m\.png is 2 x 1 pixels and c\.jpg 3 x 1/);
  });

  it("empty is refused with the cure; full, faint and NaN-free ones pass", () => {
    expect(() => checkMask(mask(2, [0, 0]), pattern(2, 1))).toThrow(/empty.*--invert-mask/);
    for (const values of [
      [1, 1],
      [0, 0.01],
    ])
      expect(() => checkMask(mask(2, values), pattern(2, 1))).not.toThrow();
  });

  it("the bounding box", () => {
    expect(boundingBox(mask(3, [0, 0, 0, 0, 0.1, 0, 0, 0, 1]))).toEqual({ x0: 1, y0: 1, x1: 3, y1: 3 });
    expect(boundingBox(mask(2, [0, 0]))).toBeNull();
    expect(boundingBox(mask(2, [1, 1]))).toEqual({ x0: 0, y0: 0, x1: 2, y1: 1 });
  });
});

const smallMasks = fc
  .tuple(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 11 }))
  .chain(([width, height]) =>
    fc.tuple(
      fc.constant(width),
      fc.array(fc.constantFrom(0, 1, 1, 1, 1, 0.5), { minLength: width * height, maxLength: width * height }),
    ),
  );

/** The definition, pixel against pixel. */
function slowDistance({ width, data }: Mask): number[] {
  return Array.from(data, (_, i) => {
    let nearest = Infinity;
    data.forEach((value, j) => {
      if (value === 0)
        nearest = Math.min(
          nearest,
          Math.hypot((i % width) - (j % width), Math.floor(i / width) - Math.floor(j / width)),
        );
    });
    return nearest;
  });
}

describe("feathering", () => {
  it("distances are the exact Euclidean ones", () => {
    fc.assert(
      fc.property(smallMasks, ([width, values]) => {
        const m = mask(width, values);
        const fast = distanceToZero(m.data, m.width, m.height);
        slowDistance(m).forEach((expected, i) => {
          expect(fast[i]).toBe(Math.fround(expected));
        });
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it("ramps over N pixels inside, follows the distance, and never grows", () => {
    fc.assert(
      fc.property(smallMasks, fc.integer({ min: 0, max: 6 }), ([width, values], pixels) => {
        const m = mask(width, values);
        const soft = featherMask(m, pixels);
        slowDistance(m).forEach((distance, i) => {
          const value = m.data[i] as number;
          expect(soft.data[i]).toBeCloseTo(value * Math.min(1, distance / (pixels + 1)), 6);
          if (value === 0) expect(soft.data[i]).toBe(0);
          else expect(soft.data[i]).toBeGreaterThan(0);
        });
      }),
      { seed: 4, numRuns: 300 },
    );
  });

  it("a row: 0 | 1/3 2/3 1 1 ...; the picture's border is no edge", () => {
    expect([...featherMask(mask(6, [0, 1, 1, 1, 1, 1]), 2).data]).toEqual([
      0,
      Math.fround(1 / 3),
      Math.fround(2 / 3),
      1,
      1,
      1,
    ]);
    expect([...featherMask(mask(3, [1, 1, 1]), 5).data]).toEqual([1, 1, 1]);
    expect(() => featherMask(mask(1, [1]), -1)).toThrow(UsageError);
  });

  it("12 megapixels in well under 2 s", () => {
    const [width, height] = [4000, 3000];
    const big: Mask = { width, height, channels: 1, data: new Float32Array(width * height) };
    for (let y = 0, i = 0; y < height; y++)
      for (let x = 0; x < width; x++, i++)
        big.data[i] = Math.hypot(x - 2000, y - 1500) < 1400 || (x > 40 && y > 2900) ? 1 : 0;
    const elapsed = cpuStopwatch();
    const soft = featherMask(big, 60);
    expect(elapsed()).toBeLessThan(3_000);
    expect(soft.data[1500 * width + 2000]).toBe(1);
  });
});
