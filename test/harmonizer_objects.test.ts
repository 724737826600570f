/** Several objects, each with a correction of its own, and a reference in the background's place. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InputError, UsageError } from "../src/errors.js";
import type { OpenedDevice } from "../src/gpu/device.js";
import { stackObjects } from "../src/harmonizer/objects.js";
import { newFloatImage } from "../src/image/float.js";
import { featherMask, type Mask, maskFromImage } from "../src/image/mask.js";
import {
  DEFAULT_WEIGHTS,
  decodeImage,
  type HarmonizeProgress,
  Harmonizer,
  type Image,
  packageFile,
} from "../src/node.js";
import { boxMask, tinyWeights } from "./helpers/command_line.js";
import { testDevice, withErrorScopes } from "./helpers/device.js";
import { pattern } from "./image_fixtures.js";

const [W, H] = [96, 64];
const left = boxMask(W, H, [6, 8, 30, 40]);
const right = boxMask(W, H, [50, 16, 84, 56]);

let opened: OpenedDevice;
let harmonizer: Harmonizer;
beforeAll(async () => {
  opened = await testDevice();
  harmonizer = await Harmonizer.load(tinyWeights(), { device: opened.device });
});
afterAll(() => harmonizer.dispose());
const scoped = <T>(body: () => Promise<T>): Promise<T> => withErrorScopes(opened.device, body);

/** The first picture where the mask is, the second elsewhere. */
function joined(inside: Image, outside: Image, mask: Image): Image {
  const { channels } = inside;
  const data = outside.data.map((value, i) =>
    mask.data[Math.floor(i / channels)] ? (inside.data[i] as number) : value,
  );
  return { ...outside, data };
}
const filled = (image: Image, mask: Image, value: number): Image =>
  joined({ ...image, data: image.data.map(() => value) }, image, mask);
const inverted = (image: Image): Image => ({ ...image, data: image.data.map((value) => 255 - value) });
const samplesIn = (image: Image, mask: Image): number[] =>
  [...image.data].filter((_, i) => mask.data[Math.floor(i / image.channels)] !== 0);

describe("several masks", () => {
  const image = pattern(W, H);

  test("one in a list is as one alone", async () => {
    const alone = await harmonizer.harmonize({ image, mask: left });
    const listed = await scoped(() => harmonizer.harmonize({ image, masks: [left] }));
    expect(listed.image).toEqual(alone.image);
    expect(listed.mask).toEqual(alone.mask);
  });

  test("in the order given: the last one is harmonized against the picture as it is by then", async () => {
    for (const options of [{}, { workingSize: 48 }, { strength: 0.5, feather: 3 }]) {
      const both = await scoped(() => harmonizer.harmonize({ image, masks: [left, right] }, options));
      const first = joined(both.image, image, left);
      const second = await harmonizer.harmonize({ image: first, mask: right }, options);
      expect(second.image).toEqual(both.image);
      expect(both.mask.data.every((m, p) => m > 0 === (left.data[p] !== 0 || right.data[p] !== 0))).toBe(true);
    }
  });

  test("those that are still to come do not count, whatever their colours", async () => {
    const plain = await harmonizer.harmonize({ image, masks: [left, right] });
    const glaring = await harmonizer.harmonize({ image: filled(image, right, 255), masks: [left, right] });
    expect(samplesIn(glaring.image, left)).toEqual(samplesIn(plain.image, left));
    // As background they would.
    const counted = await harmonizer.harmonize({ image: filled(image, right, 255), mask: left });
    expect(samplesIn(counted.image, left)).not.toEqual(samplesIn(plain.image, left));
  });

  test("progress tells the objects, where there are several", async () => {
    const seen: HarmonizeProgress[] = [];
    const onProgress = (progress: HarmonizeProgress): void => void seen.push(progress);
    await harmonizer.harmonize({ image, masks: [left, right] }, { onProgress });
    const objects = seen.filter(({ stage }) => stage === "objects");
    expect(objects).toEqual([0, 1, 2].map((done) => ({ stage: "objects", done, total: 2 })));
    seen.length = 0;
    await harmonizer.harmonize({ image, mask: left }, { onProgress });
    expect(seen.filter(({ stage }) => stage === "objects")).toEqual([]);
  });

  test("what is wrong is said by name", async () => {
    const names = { image: "photo", mask: "mask", masks: ["sofa", "cat"] };
    const empty = boxMask(W, H, [0, 0, 0, 0]);
    const around = boxMask(W, H, [0, 0, 40, 50]);
    const refusals: [{ mask?: Image; masks?: Image[] }, typeof InputError | typeof UsageError, RegExp][] = [
      [{ mask: left, masks: [left] }, UsageError, /give mask or masks, not both/],
      [{ masks: [] }, UsageError, /masks is an empty list/],
      [{ masks: [left, empty] }, InputError, /cat: empty/],
      [{ masks: [boxMask(W, 1, [0, 0, 9, 1]), left] }, InputError, /sofa is 96 x 1 pixels and photo 96 x 64/],
      [{ masks: [left, undefined as unknown as Image] }, InputError, /cat: missing/],
      [{ masks: [left, around] }, InputError, /sofa: all of it lies under later masks/],
      [{ masks: [left, left] }, InputError, /sofa: all of it lies under later masks/],
    ];
    for (const [masks, type, message] of refusals) {
      const refused = harmonizer.harmonize({ image, ...masks }, { names });
      await expect(refused).rejects.toBeInstanceOf(type);
      await expect(refused).rejects.toThrow(message);
    }
    const unnamed = harmonizer.harmonize({ image, masks: [left, empty] });
    await expect(unnamed).rejects.toThrow(/^mask 2: empty/);
  });
});

describe("objects in a stack", () => {
  const line = (values: readonly number[]): Mask => {
    return { width: values.length, height: 1, channels: 1, data: Float32Array.from(values) };
  };
  const stack = (masks: readonly Mask[], feather = 0) => stackObjects(masks, { feather }, (index) => `mask ${index}`);

  test("what two claim is the later one's; the earlier has what is left", () => {
    const [below, top] = stack([line([1, 1, 1, 0, 0]), line([0, 0.5, 1, 1, 0])]);
    expect([...(below?.seen.data ?? [])]).toEqual([1, 0.5, 0, 0, 0]);
    expect(top?.seen).toBe(top?.mask);
    const three = stack([line([1, 1, 1, 1]), line([1, 0.5, 0, 0]), line([0, 0.5, 0.25, 0])]);
    expect(three.map(({ seen }) => [...seen.data])).toEqual([
      [0, 0, 0.75, 1],
      [1, 0.5, 0, 0],
      [0, 0.5, 0.25, 0],
    ]);
  });

  test("neighbours that share a soft edge keep theirs whole", () => {
    const masks = [line([1, 1, 0.75, 0.5, 0.25, 0]), line([0, 0, 0.25, 0.5, 0.75, 1])];
    expect(stack(masks).map(({ seen }) => seen)).toEqual(masks);
    expect(stack(masks).every(({ seen, mask }) => seen === mask)).toBe(true);
  });

  test("a feather fades each from its own edge", () => {
    const wide = newFloatImage(20, 1, 1);
    wide.data.fill(1, 2, 18);
    const top = newFloatImage(20, 1, 1);
    top.data.fill(1, 14, 20);
    const [below] = stack([wide, top], 4);
    const soft = featherMask(wide, 4).data;
    expect(below?.weight.data).toEqual(soft.map((m, p) => (p < 14 ? m : 0)));
    expect(below?.seen.data).toEqual(wide.data.map((m, p) => (p < 14 ? m : 0)));
  });
});

describe("a reference", () => {
  const image = pattern(W, H);
  const region = { x: 40, y: 0, width: 56, height: 24 };
  const regionMask = boxMask(W, H, [40, 0, 96, 24]);
  const near = boxMask(W, H, [0, 0, 36, 46]);

  test("is all the background that counts", async () => {
    const options = { reference: region };
    const plain = await scoped(() => harmonizer.harmonize({ image, mask: left }, options));
    const elsewhere = joined(image, joined(image, inverted(image), near), regionMask);
    const changed = await harmonizer.harmonize({ image: elsewhere, mask: left }, options);
    expect(samplesIn(changed.image, left)).toEqual(samplesIn(plain.image, left));
    const other = await harmonizer.harmonize(
      { image: joined(inverted(image), image, regionMask), mask: left },
      options,
    );
    expect(samplesIn(other.image, left)).not.toEqual(samplesIn(plain.image, left));
    const without = await harmonizer.harmonize({ image, mask: left });
    expect(samplesIn(without.image, left)).not.toEqual(samplesIn(plain.image, left));
    const outside = boxMask(W, H, [0, 0, W, H]);
    outside.data.forEach((_, p) => {
      outside.data[p] = left.data[p] ? 0 : 255;
    });
    expect(samplesIn(plain.image, outside)).toEqual(samplesIn(image, outside));
  });

  test("holds for every object, and for larger pictures than the network runs at", async () => {
    const options = { reference: { x: 0, y: 44, width: 48, height: 20 }, workingSize: 64 };
    const both = await scoped(() => harmonizer.harmonize({ image, masks: [left, right] }, options));
    for (const mask of [left, right]) {
      const alone = await harmonizer.harmonize({ image, mask }, options);
      expect(samplesIn(both.image, mask)).toEqual(samplesIn(alone.image, mask));
    }
  });

  test("is refused outside the picture, inside a mask, too small", async () => {
    const refusals: [object, typeof InputError | typeof UsageError, RegExp][] = [
      [{ x: 90, y: 0, width: 10, height: 10 }, InputError, /does not lie in the picture/],
      [{ x: 8, y: 10, width: 10, height: 10 }, InputError, /lies inside the mask/],
      [{ x: 40, y: 0, width: 5, height: 10 }, InputError, /too small to take colours from/],
      [{ x: 40, y: 0, width: 10, height: 1.5 }, UsageError, /whole pixels/],
    ];
    for (const [reference, type, message] of refusals) {
      const refused = harmonizer.harmonize({ image, mask: left }, { reference: reference as never });
      await expect(refused).rejects.toBeInstanceOf(type);
      await expect(refused).rejects.toThrow(message);
    }
  });

  test("pulls the object towards it: photographs lit differently left and right, the weights in the box", async () => {
    const boxed = await Harmonizer.load(readFileSync(DEFAULT_WEIGHTS()), { device: opened.device });
    const moved: number[] = [];
    for (const name of ["brushes", "dandelion", "drum"]) {
      const real = await decodeImage(packageFile("examples", `${name}_real.jpg`));
      const mask = maskFromImage(await decodeImage(packageFile("examples", `${name}_mask.png`)));
      const { width, height } = real;
      const half = width >> 1;
      // A cold, dim half and a warm, bright one; the object stays as it was photographed.
      const data = real.data.map((value, i) => {
        const p = Math.floor(i / 3);
        if (mask.data[p] !== 0) return value;
        return Math.min(255, value * ((p % width < half ? [0.4, 0.5, 0.8] : [1.5, 1.25, 0.9])[i % 3] as number));
      });
      const image = { ...real, data };
      const mean = (from: Image, isCounted: (pixel: number) => boolean): number[] => {
        const sums = [0, 0, 0];
        let count = 0;
        for (let p = 0; p < width * height; p++) {
          if (!isCounted(p)) continue;
          count++;
          for (let c = 0; c < 3; c++) sums[c] = (sums[c] as number) + (from.data[3 * p + c] as number);
        }
        return sums.map((sum) => sum / count);
      };
      const matched = async (x: number): Promise<number[]> => {
        const reference = { x, y: 0, width: half, height };
        const result = await boxed.harmonize({ image, mask }, { reference, workingSize: 256 });
        return mean(result.image, (p) => mask.data[p] === 1);
      };
      const [cold, warm] = [await matched(0), await matched(width - half)];
      const light = (isLeft: boolean): number[] =>
        mean(image, (p) => mask.data[p] === 0 && p % width < half === isLeft);
      const [coldLight, warmLight] = [light(true), light(false)];
      const way = warmLight.map((value, c) => value - (coldLight[c] as number));
      const along = way.reduce((sum, step, c) => sum + step * ((warm[c] as number) - (cold[c] as number)), 0);
      moved.push(along / Math.hypot(...way));
    }
    await boxed.dispose();
    // Levels of 255 along the way from the one light to the other, more than rounding makes of a mean.
    expect(moved.reduce((a, b) => a + b) / moved.length).toBeGreaterThan(1);
  });
});

test("what lies under transparency has no say, with a mask of its own", async () => {
  const image = pattern(W, H, 4);
  const hole = boxMask(W, H, [34, 0, 48, H]);
  const seen = image.data.map((value, i) => (i % 4 === 3 ? (hole.data[i >> 2] ? 0 : 255) : value));
  const black = { ...image, data: seen.map((value, i) => (i % 4 < 3 && hole.data[i >> 2] ? 0 : value)) };
  const white = { ...image, data: seen.map((value, i) => (i % 4 < 3 && hole.data[i >> 2] ? 255 : value)) };
  for (const options of [{}, { workingSize: 48 }]) {
    const [a, b] = [
      await harmonizer.harmonize({ image: black, mask: left }, options),
      await harmonizer.harmonize({ image: white, mask: left }, options),
    ];
    expect(samplesIn(a.image, left)).toEqual(samplesIn(b.image, left));
    expect(a.image.data).toEqual(
      black.data.map((value, i) => (left.data[i >> 2] ? (a.image.data[i] as number) : value)),
    );
  }
});

test("a soft alpha is the mask that it would be beside the picture", async () => {
  const image = pattern(W, H, 4);
  const soft = left.data.map((value, p) => (value ? 255 : (p % W) % 3 === 0 && p % W > 30 && p % W < 40 ? 90 : 0));
  const cut = { ...image, data: image.data.map((value, i) => (i % 4 === 3 ? (soft[i >> 2] as number) : value)) };
  const beside = await harmonizer.harmonize({
    image: { ...pattern(W, H), data: cut.data.filter((_, i) => i % 4 < 3) },
    mask: { ...left, data: soft },
  });
  const own = await harmonizer.harmonize({ image: cut });
  expect(own.image).toEqual(beside.image);
});
