/** Resizing against PIL's numbers, reflection against numpy's, and the way back. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ShapeError, UsageError } from "../src/errors.js";
import {
  type FloatImage,
  fromFloat,
  fromPlanar,
  newFloatImage,
  stackMask,
  toFloatRgb,
  toPlanar,
} from "../src/image/float.js";
import { to8Bit, toImage, toImageData } from "../src/image/image.js";
import { cropImage, reflectIndex, reflectPad } from "../src/image/pad.js";
import { resize, resizeToRgb, workingSize } from "../src/image/resize.js";
import { pattern, patternSample } from "./image_fixtures.js";

/** Channel 0 of the pattern in [0, 1]. */
function gray(width: number, height: number): FloatImage<1> {
  const image = newFloatImage(width, height, 1);
  image.data.forEach((_, i) => {
    image.data[i] = patternSample(i % width, Math.floor(i / width), 0) / 255;
  });
  return image;
}

describe("resize", () => {
  // Image.fromarray(x, "F").resize((W, H), Image.BILINEAR) of PIL 9.4: the first twelve values and the sum.
  const pil = [
    [
      40,
      31,
      10,
      8,
      [
        0.16889, 0.355903, 0.419776, 0.548575, 0.577924, 0.709972, 0.699757, 0.676259, 0.600001, 0.459617, 0.3102,
        0.439559,
      ],
      44.1373,
    ],
    [
      40,
      31,
      13,
      7,
      [
        0.15809, 0.31292, 0.407644, 0.447374, 0.559076, 0.564679, 0.653934, 0.733017, 0.706982, 0.647085, 0.640709,
        0.543893,
      ],
      50.1851,
    ],
    [
      16,
      12,
      16,
      5,
      [
        0.014745, 0.045176, 0.075608, 0.106039, 0.324706, 0.355137, 0.385569, 0.416, 0.258196, 0.288627, 0.312235,
        0.342667,
      ],
      35.5692,
    ],
    [7, 7, 3, 2, [0.096958, 0.209689, 0.365605, 0.254707, 0.378434, 0.381943], 1.6873],
    [
      5,
      4,
      12,
      9,
      [0, 0.002451, 0.010621, 0.018791, 0.026961, 0.035131, 0.043301, 0.051471, 0.06781, 0.15768, 0.247549, 0.27451],
      17.3032,
    ],
  ] as const;
  for (const [w, h, toW, toH, first, sum] of pil)
    it(`${w}x${h} to ${toW}x${toH} as PIL does`, () => {
      const { data } = resize(gray(w, h), toW, toH);
      first.forEach((value, i) => {
        expect(data[i]).toBeCloseTo(value, 5);
      });
      expect(data.reduce((a, b) => a + b)).toBeCloseTo(sum, 3);
    });

  it("keeps a constant and stays inside the range", () => {
    fc.assert(
      fc.property(
        ...([1, 2, 3, 4].map(() => fc.integer({ min: 1, max: 40 })) as [
          fc.Arbitrary<number>,
          fc.Arbitrary<number>,
          fc.Arbitrary<number>,
          fc.Arbitrary<number>,
        ]),
        (w, h, toW, toH) => {
          const flat = { ...newFloatImage(w, h, 2), data: new Float32Array(w * h * 2).fill(0.3) };
          for (const value of resize(flat, toW, toH).data) expect(value).toBeCloseTo(0.3, 6);
          for (const value of resize(gray(w, h), toW, toH).data) expect(value >= 0 && value <= 1).toBe(true);
        },
      ),
      { seed: 1 },
    );
  });

  it("of a decoded picture equals resizing its floats", () => {
    for (const channels of [1, 3, 4] as const) {
      const image = pattern(37, 23, channels, 16);
      expect(resizeToRgb(image, 11, 9)).toEqual(resize(toFloatRgb(image), 11, 9));
    }
  });

  it("working size: longest side, aspect kept, never enlarged, never 0", () => {
    expect(workingSize(4000, 3000, 512)).toEqual({ width: 512, height: 384 });
    expect(workingSize(300, 200, 512)).toEqual({ width: 300, height: 200 });
    expect(workingSize(512, 1, 512)).toEqual({ width: 512, height: 1 });
    expect(workingSize(10_000, 2, 100)).toEqual({ width: 100, height: 1 });
    expect(workingSize(2, 3000, 1000)).toEqual({ width: 1, height: 1000 });
    expect(() => workingSize(5, 5, 0)).toThrow(UsageError);
  });
});

describe("reflect padding", () => {
  it("indices bounce as numpy's", () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8].map((i) => reflectIndex(i, 3))).toEqual([0, 1, 2, 1, 0, 1, 2, 1, 0]);
    expect([-1, -2, -3, -4].map((i) => reflectIndex(i, 3))).toEqual([1, 2, 1, 0]);
    expect([-7, 0, 9].map((i) => reflectIndex(i, 1))).toEqual([0, 0, 0]);
    expect([0, 1, 2, 3].map((i) => reflectIndex(i, 2))).toEqual([0, 1, 0, 1]);
  });

  it("every pixel is its reflection, on any size, and cropping is the way back", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(1, 2, 8, 32),
        fc.constantFrom(1, 3, 4),
        (w, h, multiple, channels) => {
          const image = newFloatImage(w, h, channels);
          image.data.forEach((_, i) => {
            image.data[i] = i;
          });
          const padded = reflectPad(image, multiple);
          expect(padded.width % multiple).toBe(0);
          expect(padded.height % multiple).toBe(0);
          expect(padded.width - w).toBeLessThan(multiple);
          for (let y = 0; y < padded.height; y++)
            for (let x = 0; x < padded.width; x++)
              expect(padded.data[(y * padded.width + x) * channels]).toBe(
                (reflectIndex(y, h) * w + reflectIndex(x, w)) * channels,
              );
          expect(cropImage(padded, w, h)).toEqual(image);
        },
      ),
      { seed: 2, numRuns: 60 },
    );
  });

  it("refuses a multiple of 0", () => {
    expect(() => reflectPad(gray(2, 2), 0)).toThrow(UsageError);
  });
});

describe("conversions", () => {
  it("planar and back; stacking the mask", () => {
    const rgb = toFloatRgb(pattern(5, 4));
    const planar = toPlanar(rgb);
    expect(planar[20]).toBe(rgb.data[1]);
    expect(fromPlanar(planar, 5, 4, 3)).toEqual(rgb);
    expect(() => fromPlanar(planar, 5, 5, 3)).toThrow(ShapeError);
    const stacked = stackMask(rgb, gray(5, 4));
    expect([...stacked.data.subarray(4, 8)]).toEqual([...rgb.data.subarray(3, 6), gray(5, 4).data[1]]);
    expect(() => stackMask(rgb, gray(4, 5))).toThrow(ShapeError);
  });

  it("8 and 16 bits survive the trip through floats", () => {
    for (const depth of [8, 16] as const)
      expect(fromFloat(toFloatRgb(pattern(40, 30, 3, depth)), depth).data).toEqual(pattern(40, 30, 3, depth).data);
    const wild = { width: 1, height: 1, channels: 3, data: Float32Array.of(-1, 2, 0.5) } as const;
    expect([...fromFloat(wild).data]).toEqual([0, 255, 128]);
    expect(fromFloat(wild, 16).data[1]).toBe(65535);
  });

  it("ImageData in and out", () => {
    const imageData = { width: 2, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 4, 5, 6, 7, 8) };
    const image = toImage(imageData);
    expect(image).toMatchObject({ channels: 4, depth: 8 });
    expect(image.data.buffer).toBe(imageData.data.buffer);
    expect(toImageData(image)).toEqual(imageData);
    expect([...toImageData({ width: 1, height: 1, channels: 1, depth: 16, data: Uint16Array.of(25700) }).data]).toEqual(
      [100, 100, 100, 255],
    );
    expect(() => toImage({ width: 2, height: 2, data: imageData.data })).toThrow(/need 16 samples, got 8/);
    expect(() => toImage({ width: 0, height: 2, data: imageData.data })).toThrow(/at least 1 pixel/);
    const halves = { width: 1, height: 1, data: new Float32Array(4) as unknown as Uint8Array };
    expect(() => toImage(halves)).toThrow(/got 8-bit in Float32Array/);
    expect([
      ...to8Bit({ width: 3, height: 1, channels: 1, depth: 16, data: Uint16Array.of(0, 128, 65535) }).data,
    ]).toEqual([0, 0, 255]);
  });
});
