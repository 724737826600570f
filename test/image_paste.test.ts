/** Pasting back (the background bit for bit), metrics against scikit-image's numbers, and the comparison strip. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError, ShapeError, UsageError } from "../src/errors.js";
import { toFloatRgb } from "../src/image/float.js";
import type { Image } from "../src/image/image.js";
import type { Mask } from "../src/image/mask.js";
import { foregroundMse, foregroundPsnr, mse, psnr, psnrOfMse, ssim } from "../src/image/metrics.js";
import { paste } from "../src/image/paste.js";
import { compareStrip, maskToImage } from "../src/image/strip.js";
import { makeIcc, pattern } from "./image_fixtures.js";

const constantMask = (width: number, height: number, value: number): Mask => ({
  width,
  height,
  channels: 1,
  data: new Float32Array(width * height).fill(value),
});
const inverse = (image: Image): Image => ({
  ...image,
  data: image.data.map((v) => (image.depth === 8 ? 255 : 65535) - v),
});

describe("paste", () => {
  it("copies the background bit for bit and blends the rest, at every form", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 3, 4),
        fc.constantFrom(8, 16),
        fc.array(fc.constantFrom(0, 0, 0.25, 1), { minLength: 12, maxLength: 12 }),
        fc.constantFrom(0, 0.5, 1),
        (channels, depth, values, strength) => {
          const original = { ...pattern(4, 3, channels as Image["channels"], depth as 8 | 16), icc: makeIcc(132) };
          const harmonized = toFloatRgb(inverse(original));
          const mask: Mask = { width: 4, height: 3, channels: 1, data: Float32Array.from(values) };
          const result = paste(original, harmonized, mask, { strength });
          expect(result.icc).toBe(original.icc);
          const colour = channels < 3 ? 1 : 3;
          const max = depth === 8 ? 255 : 65535;
          for (let i = 0; i < original.data.length; i++) {
            const from = original.data[i] as number;
            const weight = i % channels < colour ? strength * (values[Math.floor(i / channels)] as number) : 0;
            if (weight === 0) expect(result.data[i]).toBe(from);
            else
              expect(Math.abs((result.data[i] as number) - (from + weight * (max - 2 * from)))).toBeLessThanOrEqual(
                0.51,
              );
          }
        },
      ),
      { seed: 11, numRuns: 200 },
    );
  });

  it("clamps, and refuses NaN rather than writing black", () => {
    const gray = { ...pattern(2, 1), data: Uint8Array.of(9, 9, 9, 9, 9, 9) };
    const wild = { width: 2, height: 1, channels: 3, data: Float32Array.of(-3, 7, 0.5, 1, 0, 1) } as const;
    expect([...paste(gray, wild, constantMask(2, 1, 1)).data]).toEqual([0, 255, 128, 255, 0, 255]);
    const broken = { ...wild, data: wild.data.with(2, Number.NaN) };
    expect(() => paste(gray, broken, constantMask(2, 1, 1))).toThrow(/NaN/);
  });

  it("takes rows on demand, only inside the mask's box", () => {
    const original = pattern(5, 4, 4);
    const mask = constantMask(5, 4, 0);
    mask.data[2 * 5 + 3] = 1;
    const asked: number[][] = [];
    const result = paste(
      original,
      (y, x0, x1, out) => {
        asked.push([y, x0, x1]);
        out.fill(1);
      },
      mask,
    );
    expect(asked).toEqual([[2, 3, 4]]);
    expect(result.channels).toBe(4);
    expect([...result.data.subarray(52, 56)]).toEqual([255, 255, 255, original.data[55]]);
    expect([...result.data.subarray(0, 3)]).toEqual([...original.data.subarray(0, 3)]);
    expect(original).toEqual(pattern(5, 4, 4));
  });

  it("refuses a strength outside 0..1 and other sizes", () => {
    const image = pattern(2, 2);
    for (const strength of [-0.1, 1.1, 7, Number.NaN])
      expect(() => paste(image, toFloatRgb(image), constantMask(2, 2, 1), { strength })).toThrow(UsageError);
    expect(() => paste(image, toFloatRgb(image), constantMask(3, 2, 1))).toThrow(ShapeError);
    expect(() => paste(image, toFloatRgb(pattern(3, 2)), constantMask(2, 2, 1))).toThrow(ShapeError);
  });
});

/** The noisy copy of the Python side. */
function noisy(image: Image): Image {
  const data = image.data.map((v, i) => Math.min(255, Math.max(0, v + ((i * i * 7 + i * 31) % 41) - 17)));
  return { ...image, data };
}

describe("metrics", () => {
  // scikit-image 0.19.3: structural_similarity(a, b, channel_axis=-1), peak_signal_noise_ratio, mean_squared_error.
  const skimage = [
    [7, 7, 0.9545460845223034, 25.726499833899126, 173.95238095238096],
    [16, 12, 0.9556540474266288, 25.93749661999217, 165.703125],
    [40, 31, 0.9760994469266014, 26.057370508334877, 161.19193548387096],
    [64, 7, 0.970210625819071, 26.007956283505322, 163.03645833333334],
  ] as const;
  for (const [width, height, s, p, m] of skimage)
    it(`${width}x${height}: SSIM, PSNR and MSE are scikit-image's`, () => {
      const a = pattern(width, height);
      const b = noisy(a);
      expect(Math.abs(ssim(a, b) - s)).toBeLessThan(1e-9);
      expect(psnr(a, b)).toBeCloseTo(p, 9);
      expect(mse(a, b)).toBeCloseTo(m, 9);
    });

  it("equal pictures: 0, Infinity, 1; the true MSE does not wrap", () => {
    const a = pattern(9, 9);
    expect([mse(a, a), psnr(a, a), ssim(a, a)]).toEqual([0, Infinity, 1]);
    const black: Image = { width: 1, height: 1, channels: 1, depth: 8, data: Uint8Array.of(0) };
    expect(mse(black, { ...black, data: Uint8Array.of(255) })).toBe(65025);
    expect(psnrOfMse(65025)).toBe(0);
  });

  it("on the foreground: weighted by the mask", () => {
    const a = pattern(4, 1);
    const b = { ...a, data: a.data.map((v, i) => v + (i >= 6 ? 2 : 1)) };
    const mask: Mask = { width: 4, height: 1, channels: 1, data: Float32Array.of(0, 1, 0.5, 0) };
    expect(foregroundMse(a, b, mask)).toBeCloseTo((1 + 0.5 * 4) / 1.5, 12);
    expect(foregroundPsnr(a, b, mask)).toBeCloseTo(psnrOfMse(2), 12);
    expect(foregroundMse(a, b, constantMask(4, 1, 1))).toBeCloseTo(mse(a, b), 12);
  });

  it("refuses what cannot be compared", () => {
    expect(() => mse(pattern(2, 2), pattern(2, 3))).toThrow(ShapeError);
    expect(() => mse(pattern(2, 2, 3, 16), pattern(2, 2, 3, 16))).toThrow(ShapeError);
    expect(() => ssim(pattern(6, 9), pattern(6, 9))).toThrow(/at least 7 x 7/);
    expect(() => foregroundMse(pattern(2, 2), pattern(2, 2), constantMask(1, 1, 1))).toThrow(ShapeError);
  });
});

describe("comparison strip", () => {
  it("puts panels side by side, whatever their form", () => {
    const panels = [pattern(6, 4), maskToImage(constantMask(6, 4, 0.5)), pattern(6, 4, 4, 16)];
    const strip = compareStrip(panels);
    expect([strip.width, strip.height, strip.channels]).toEqual([3 * 6 + 2 * 4, 4, 3]);
    const at = (x: number, y: number): number[] => [
      ...strip.data.subarray((y * strip.width + x) * 3, (y * strip.width + x + 1) * 3),
    ];
    expect(at(0, 0)).toEqual([...pattern(6, 4).data.subarray(0, 3)]);
    expect(at(7, 2)).toEqual([255, 255, 255]);
    expect(at(10, 3)).toEqual([128, 128, 128]);
  });

  it("reduces large panels and refuses unequal ones", () => {
    expect(compareStrip([pattern(200, 100), pattern(200, 100)], { maxPanel: 50 })).toMatchObject({
      width: 104,
      height: 25,
    });
    expect(() => compareStrip([pattern(3, 2), pattern(2, 3)])).toThrow(InputError);
    expect(() => compareStrip([])).toThrow(InputError);
  });
});
