/** The library as a program uses it: pictures as arrays in, pictures as arrays out. */
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AbortedError, InputError, OutOfMemoryError, UsageError, WeightsError } from "../src/errors.js";
import type { OpenedDevice } from "../src/gpu/device.js";
import { featherMask, maskFromImage } from "../src/image/mask.js";
import {
  type HarmonizeInput,
  Harmonizer,
  harmonize,
  type Image,
  type ImageDataLike,
  openDevice,
  openHarmonizer,
} from "../src/node.js";
import { boxMask, tinyWeights, workspace } from "./helpers/command_line.js";
import { testDevice, withErrorScopes } from "./helpers/device.js";
import { pattern } from "./image_fixtures.js";

const work = workspace();
const weights = tinyWeights();
const adapter = process.env.S2AM_ADAPTER || "bundled";
const open = { adapter, log: () => undefined };

let opened: OpenedDevice;
let harmonizer: Harmonizer;
beforeAll(async () => {
  opened = await testDevice();
  harmonizer = await Harmonizer.load(weights, { device: opened.device });
});
afterAll(async () => {
  await harmonizer.dispose();
  expect(harmonizer.network.runtime.memory).toMatchObject({ liveBytes: 0, liveBuffers: 0 });
});

const rgba = (width: number, height: number): ImageDataLike => {
  const { data } = pattern(width, height, 4);
  return { width, height, data: Uint8ClampedArray.from(data, (value, i) => (i % 4 === 3 ? 255 : value)) };
};
const pair = (width: number, height: number): HarmonizeInput<Image> => ({
  image: pattern(width, height),
  mask: boxMask(width, height, [4, 4, width - 4, height - 8]),
});
const scoped = <T>(body: () => Promise<T>): Promise<T> => withErrorScopes(opened.device, body);

describe("harmonize", () => {
  test("ImageData in, ImageData out, whatever the mask is made of", async () => {
    const image = rgba(50, 30);
    const mask = boxMask(50, 30, [5, 5, 40, 20]);
    const white = new Uint8ClampedArray(50 * 30 * 4).fill(255);
    const drawn = white.map((_, i) => (i % 4 < 3 ? (mask.data[i >> 2] ?? 0) : 255));
    const before = image.data.slice();
    const result = await scoped(() => harmonizer.harmonize({ image, mask }));
    expect(image.data).toEqual(before);
    expect(result.image.data).toBeInstanceOf(Uint8ClampedArray);
    expect(result).toMatchObject({ image: { width: 50, height: 30 }, workedAt: { width: 50, height: 30 } });
    expect(result.totalMs).toBeGreaterThanOrEqual(result.modelMs);
    const outside = (data: ArrayLike<number>): number[] => Array.from(data).filter((_, i) => mask.data[i >> 2] === 0);
    expect(outside(result.image.data)).toEqual(outside(before));
    expect(result.image.data).not.toEqual(before);
    for (const same of [{ width: 50, height: 30, data: drawn }, maskFromImage(mask)]) {
      expect((await harmonizer.harmonize({ image, mask: same })).image.data).toEqual(result.image.data);
    }
  });

  test("any size and form: a pixel, a strip, gray, 16 bits, larger than the working size", async () => {
    const pictures = [pattern(1, 1), pattern(3, 70, 1), pattern(200, 5, 2, 16), pattern(100, 60, 3, 16)];
    for (const image of pictures) {
      const { width, height } = image;
      const mask = boxMask(width, height, [0, 0, width, height]);
      const result = await scoped(() => harmonizer.harmonize({ image, mask }, { workingSize: 48 }));
      expect({ ...result.image, data: null }).toEqual({ ...image, data: null });
      expect(Math.max(result.workedAt.width, result.workedAt.height)).toBe(Math.min(48, Math.max(width, height)));
    }
  });

  test("strength, feather, inversion, alpha as mask", async () => {
    const { image, mask } = pair(40, 40);
    const same = await harmonizer.harmonize({ image, mask }, { strength: 0 });
    expect(same.image.data).toEqual(image.data);
    expect(same.image.data).not.toBe(image.data);
    const plain = boxMask(40, 40, [4, 4, 36, 32]);
    const soft = await harmonizer.harmonize({ image, mask }, { feather: 5 });
    expect(soft.mask.data).toEqual(featherMask(maskFromImage(plain), 5).data);
    const inverse = { ...plain, data: plain.data.map((value) => 255 - value) };
    const straight = await harmonizer.harmonize({ image, mask: inverse });
    const inverted = await harmonizer.harmonize({ image, mask: plain }, { invertMask: true });
    expect(inverted.image.data).toEqual(straight.image.data);
    const cut = rgba(40, 40);
    cut.data.forEach((_, i) => {
      if (i % 4 === 3) cut.data[i] = plain.data[i >> 2] ?? 0;
    });
    const opaque = await harmonizer.harmonize({ image: cut });
    expect(opaque.image.data.every((value, i) => i % 4 < 3 || value === 255)).toBe(true);
  });

  test("what is wrong is said by type, and by the names that are given", async () => {
    const { image, mask } = pair(40, 40);
    const names = { image: "photo", mask: "cut" };
    const refusals: [HarmonizeInput<Image>, object, typeof InputError | typeof UsageError, RegExp][] = [
      [{ image }, {}, InputError, /photo: no mask was given/],
      [{ image, mask: boxMask(40, 41, [1, 1, 9, 9]) }, {}, InputError, /cut is 40 x 41 pixels and photo 40 x 40/],
      [{ image, mask: boxMask(40, 40, [0, 0, 0, 0]) }, {}, InputError, /cut: empty/],
      [{ image: { ...image, width: 41 }, mask }, {}, InputError, /photo: 41 x 40 pixels of 3 channels need 4920/],
      [
        { image, mask: { width: 1, height: 1, channels: 1, data: Float32Array.of(7) } },
        {},
        InputError,
        /cut: .*0\.\.1/,
      ],
      [{ image, mask }, { strength: 7 }, UsageError, /strength must be a number from 0 to 1, got 7/],
      [{ image, mask }, { strength: Number.NaN }, UsageError, /strength/],
      [{ image, mask }, { workingSize: 0 }, UsageError, /working size/],
      [{ image, mask }, { feather: -1 }, UsageError, /feather/],
    ];
    for (const [input, options, type, message] of refusals) {
      const refused = harmonizer.harmonize(input, { ...options, names });
      await expect(refused).rejects.toBeInstanceOf(type);
      await expect(refused).rejects.toThrow(message);
    }
  });
});

describe("many at once", () => {
  test("concurrent calls of more sizes than are kept answer as one after another", async () => {
    const inputs = [
      [33, 33],
      [65, 33],
      [33, 65],
      [65, 65],
      [33, 33],
      [97, 33],
    ].map(([w, h]) => pair(w ?? 1, h ?? 1));
    const together = await scoped(() => Promise.all(inputs.map((input) => harmonizer.harmonize(input))));
    for (const [i, input] of inputs.entries()) {
      const alone = await harmonizer.harmonize(input);
      expect(together[i]?.image.data).toEqual(alone.image.data);
    }
  });

  test("one that is aborted takes no other with it", async () => {
    const fresh = await Harmonizer.load(weights, { device: opened.device });
    const controller = new AbortController();
    const options = { signal: controller.signal, onProgress: () => controller.abort() };
    const aborted = fresh.harmonize(pair(40, 40), options);
    const patient = fresh.harmonize(pair(40, 40));
    await expect(aborted).rejects.toBeInstanceOf(AbortedError);
    expect((await patient).image.data).toEqual((await harmonizer.harmonize(pair(40, 40))).image.data);
    await expect(fresh.harmonize(pair(40, 40), options)).rejects.toBeInstanceOf(AbortedError);
    await fresh.dispose();
    expect(fresh.network.runtime.memory.liveBytes).toBe(0);
  });

  test("dispose waits for what is under way, frees all, and refuses what comes later", async () => {
    const fresh = await Harmonizer.load(weights, { device: opened.device });
    const underWay = [fresh.harmonize(pair(40, 40)), fresh.harmonize(pair(70, 40))];
    await Promise.all([fresh.dispose(), fresh.dispose()]);
    expect(fresh.network.runtime.memory).toMatchObject({ liveBytes: 0, liveBuffers: 0 });
    for (const { status } of await Promise.allSettled(underWay)) expect(status).toBe("fulfilled");
    await expect(fresh.harmonize(pair(40, 40))).rejects.toThrow(/was disposed of/);
    await expect(fresh.network.plan([1, 32, 32])).rejects.toBeInstanceOf(UsageError);
    expect(fresh.network.runtime.memory.liveBytes).toBe(0);
  });
});

describe("memory", () => {
  test("over the limit given: an error before, nothing kept, and a smaller picture still works", async () => {
    const tight = await Harmonizer.load(weights, { device: opened.device, memoryLimit: 1 << 20 });
    const large = tight.harmonize(pair(300, 300));
    await expect(large).rejects.toBeInstanceOf(OutOfMemoryError);
    await expect(large).rejects.toThrow(/needs .* MiB of memory, .* are left: use a smaller image/);
    expect(tight.network.runtime.memory).toMatchObject({ liveBytes: 0 });
    expect(tight.network.runtime.memory.peakBytes).toBeLessThanOrEqual(1 << 20);
    expect((await tight.harmonize(pair(40, 40))).workedAt).toEqual({ width: 40, height: 40 });
    await tight.dispose();
  });

  test("over the device's limits: an error before anything is allocated", async () => {
    const small = await openDevice({ ...open, limits: "default" });
    const { harmonizer: limited, close } = await openHarmonizer(weights, { device: small.device });
    const image: Image = { width: 4096, height: 2304, channels: 1, depth: 8, data: new Uint8Array(4096 * 2304) };
    const refused = limited.harmonize({ image, mask: boxMask(4096, 2304, [0, 0, 9, 9]) }, { workingSize: 4096 });
    await expect(refused).rejects.toThrow(/needs a buffer of 144\.0 MiB, this device allows 128\.0 MiB/);
    expect(limited.network.runtime.memory.peakBytes).toBe(0);
    await close();
    await small.close();
  });
});

describe("loading", () => {
  test("in one call: bytes, a path or a file: address; a device is opened and closed", async () => {
    work.write("tiny.safetensors", weights);
    const path = work.path("tiny.safetensors");
    const expected = await harmonizer.harmonize(pair(40, 40));
    for (const source of [weights, path, pathToFileURL(path)]) {
      expect(await harmonize(source, pair(40, 40), { open })).toEqual(expected.image);
    }
    await expect(harmonize(work.path("missing"), pair(40, 40), { open })).rejects.toThrow(/missing: cannot be opened/);
    const { harmonizer: loaded, close } = await openHarmonizer(path, { open });
    await loaded.harmonize(pair(40, 40));
    await close();
    expect(loaded.network.runtime.memory.liveBytes).toBe(0);
  });

  test("weights that overflow in the network are blamed, not the picture", async () => {
    const huge = tinyWeights((tensors) => {
      for (const { shape, data } of tensors.values()) {
        if (shape.length === 4) new Float32Array(data.buffer, data.byteOffset, data.length / 4).fill(1e30);
      }
    });
    const broken = await Harmonizer.load(huge, { device: opened.device });
    await expect(broken.harmonize(pair(40, 40))).rejects.toBeInstanceOf(WeightsError);
    await broken.dispose();
  });

  test("aborted before, or while the weights are read", async () => {
    const { device } = opened;
    const aborted = Harmonizer.load(weights, { device, signal: AbortSignal.abort() });
    await expect(aborted).rejects.toBeInstanceOf(AbortedError);
    await expect(Harmonizer.load(weights.subarray(1), { device })).rejects.toBeInstanceOf(WeightsError);
  });
});
