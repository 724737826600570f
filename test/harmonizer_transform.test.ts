/** What the library does with the network's answer by its option `fit`, and what it tells of it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UsageError } from "../src/errors.js";
import type { OpenedDevice } from "../src/gpu/device.js";
import { mapOf } from "../src/image/colour_transform.js";
import { FITS, type Fit } from "../src/image/fit.js";
import { newFloatImage, stackMask, toFloatRgb } from "../src/image/float.js";
import { maskFromImage } from "../src/image/mask.js";
import { paste } from "../src/image/paste.js";
import { applyChange, Harmonizer, type Image, lutOf, parseCube, toCube } from "../src/node.js";
import { boxMask, tinyWeights } from "./helpers/command_line.js";
import { testDevice, withErrorScopes } from "./helpers/device.js";
import { pattern } from "./image_fixtures.js";

const [W, H] = [64, 32];
const mask = boxMask(W, H, [6, 4, 50, 28]);

let opened: OpenedDevice;
let harmonizer: Harmonizer;
beforeAll(async () => {
  opened = await testDevice();
  harmonizer = await Harmonizer.load(tinyWeights(), { device: opened.device });
});
afterAll(() => harmonizer.dispose());
const scoped = <T>(body: () => Promise<T>): Promise<T> => withErrorScopes(opened.device, body);

const outside = ({ data, channels }: Image): number[] =>
  [...data].filter((_, i) => mask.data[Math.floor(i / channels)] === 0);
const largest = (a: Image, b: Image): number =>
  Math.max(...Array.from(a.data, (value, i) => Math.abs(value - (b.data[i] as number))));

describe("the option fit", () => {
  test("none: the network's own answer, pasted", async () => {
    const image = pattern(W, H);
    const x = stackMask(toFloatRgb(image), maskFromImage(mask));
    const y = (await scoped(() => harmonizer.network.run(x.data, [1, H, W]))).outputs.y as Float32Array;
    const { image: result } = await harmonizer.harmonize({ image, mask }, { fit: "none" });
    const answer = { ...newFloatImage(W, H, 3), data: y };
    expect(result.data).toEqual(paste(image, answer, maskFromImage(mask)).data);
  });

  test.each(FITS)("%s: bits outside the mask stay, at any size, strength, depth and form", async (fit: Fit) => {
    for (const image of [pattern(W, H), pattern(W, H, 1), pattern(W, H, 4, 16)])
      for (const options of [{}, { workingSize: 32, strength: 0.5, feather: 3 }]) {
        const result = await scoped(() => harmonizer.harmonize({ image, mask }, { ...options, fit }));
        expect(outside(result.image)).toEqual(outside(image));
        expect(result.transforms).toEqual([result.transform]);
        expect(result.transform.fit).toBe(fit);
        expect(result.transform.residual.levels).toBeGreaterThanOrEqual(0);
      }
  });

  test("global and auto: the matrix that is told is what was done, share and strength in it", async () => {
    for (const fit of ["global", "auto"] as const)
      for (const [image, strength] of [
        [pattern(W, H), 1],
        [pattern(W, H), 0.4],
        [pattern(W, H, 1), 1],
      ] as const) {
        const { image: result, transform } = await harmonizer.harmonize({ image, mask }, { fit, strength });
        // Clipped before the strength is taken there, after it here.
        if (strength === 1) expect(transform.residual.levels).toBeLessThan(0.1);
        const colour = new Float64Array(3);
        for (let p = 0; p < W * H; p++) {
          if (mask.data[p] !== 255) continue;
          for (let c = 0; c < 3; c++)
            colour[c] = (image.data[p * image.channels + (image.channels === 1 ? 0 : c)] as number) / 255;
          const before = Float64Array.from(colour);
          mapOf(transform.matrix)(before, colour);
          if (colour.some((v) => v < 0 || v > 1)) continue;
          for (let c = 0; c < image.channels; c++) {
            const told = 255 * (colour[c] as number);
            const seen = result.data[p * image.channels + c] as number;
            if (seen > 0 && seen < 255 && strength === 1) expect(Math.abs(told - seen)).toBeLessThan(0.51);
          }
        }
        expect(transform.share).toBe(fit === "global" ? 1 : transform.share);
      }
  });

  test("the answer's errors are told, and those of a transform for a result that has more", async () => {
    const image = pattern(W, H);
    const none = await harmonizer.harmonize({ image, mask }, { fit: "none" });
    const global = await harmonizer.harmonize({ image, mask }, { fit: "global" });
    expect(none.transform.matrix).toEqual(global.transform.matrix);
    expect(none.transform.answerResidualLevels).toBeGreaterThan(1);
    expect(none.transform.residual.levels).toBeGreaterThan(1);
    const { levels, decibels } = none.transform.residual;
    expect(decibels).toBeCloseTo(20 * Math.log10(255 / levels), 9);
  });

  test("one that is none of them is refused", async () => {
    const refused = harmonizer.harmonize({ image: pattern(W, H), mask }, { fit: "best" as Fit });
    await expect(refused).rejects.toBeInstanceOf(UsageError);
    await expect(refused).rejects.toThrow(/fit must be one of auto, global, local, none, got best/);
  });

  test("strength 0 tells no change", async () => {
    const { transform } = await harmonizer.harmonize({ image: pattern(W, H), mask }, { strength: 0 });
    expect(transform).toMatchObject({ residual: { levels: 0 }, words: { text: "hardly any change" } });
  });
});

describe("a change that is given", () => {
  test("a result's own matrix, or a table of it, makes that result again, soft edges too", async () => {
    const image = pattern(W, H);
    const soft = { ...mask, data: mask.data.map((m, p) => (p % W < 12 ? Math.round((m * (p % W)) / 12) : m)) };
    const { image: result, transform } = await harmonizer.harmonize({ image, mask: soft }, { fit: "global" });
    const again = applyChange({ image, mask: soft }, transform.matrix);
    expect(largest(again.image, result)).toBeLessThanOrEqual(1);
    const table = applyChange({ image, mask: soft }, parseCube(toCube(transform.matrix)));
    expect(largest(table.image, result)).toBeLessThanOrEqual(1);
    expect(again.mask).toEqual(maskFromImage(soft));
  });

  test("one for all objects or one each; another number, or no transform, is refused", () => {
    const image = pattern(W, H);
    const masks = [boxMask(W, H, [2, 2, 20, 20]), boxMask(W, H, [30, 2, 60, 30])];
    const black = lutOf((_, out) => void out.fill(0), 2);
    const white = lutOf((_, out) => void out.fill(1), 2);
    const { image: each } = applyChange({ image, masks }, [black, white]);
    for (const [index, value] of [0, 255].entries())
      expect(new Set([...each.data].filter((_, i) => masks[index]?.data[Math.floor(i / 3)] === 255))).toEqual(
        new Set([value]),
      );
    const { image: all } = applyChange({ image, masks }, black);
    expect(Math.max(...[...all.data].filter((_, i) => masks.some((one) => one.data[Math.floor(i / 3)])))).toBe(0);
    expect(() => applyChange({ image, masks }, [black, white, black])).toThrow(/3 changes of colour for 2 objects/);
    expect(() => applyChange({ image, masks }, [[1, 0, 0, Number.NaN]] as never)).toThrow(UsageError);
  });
});
