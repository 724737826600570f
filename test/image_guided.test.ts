/** Guided upsampling: what is no change stays none, one global change comes out exactly, and detail and edges stay. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ShapeError } from "../src/errors.js";
import { boxSums } from "../src/image/box_filter.js";
import { FITS } from "../src/image/fit.js";
import { type FloatImage, newFloatImage, toFloatRgb } from "../src/image/float.js";
import { type GuidedOptions, guidedUpsample, type RgbRows } from "../src/image/guided_upsample.js";
import type { Image } from "../src/image/image.js";
import type { Mask } from "../src/image/mask.js";
import { paste } from "../src/image/paste.js";
import { resize, resizeToRgb, workingSize } from "../src/image/resize.js";
import { cpuStopwatch } from "./helpers/cpu_time.js";

/** A scene with smooth shading, hard edges and fine texture, colours well spread. */
function scene(width: number, height: number): Image {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const disc = Math.hypot(x / width - 0.45, y / height - 0.5) < 0.28 ? 1 : 0;
      const grain = ((x * 7919 + y * 104729 + x * y * 31) % 17) - 8;
      data[i++] = 60 + 90 * disc + 50 * Math.sin(x / 23) + grain;
      data[i++] = 120 - 50 * disc + 40 * Math.sin(y / 17 + 1) + grain;
      data[i++] = 110 + 40 * Math.sin((x + y) / 31) + 30 * disc + grain;
    }
  return { width, height, channels: 3, depth: 8, data };
}

function disc(width: number, height: number): Mask {
  const mask = newFloatImage(width, height, 1);
  mask.data.forEach((_, i) => {
    mask.data[i] = Math.hypot((i % width) / width - 0.5, Math.floor(i / width) / height - 0.5) < 0.35 ? 1 : 0;
  });
  return mask;
}

function collect(rows: RgbRows, width: number, height: number): FloatImage<3> {
  const out = newFloatImage(width, height, 3);
  for (let y = 0; y < height; y++) rows(y, 0, width, out.data.subarray(y * width * 3, (y + 1) * width * 3));
  return out;
}

function mapColours(
  image: FloatImage<3>,
  change: (r: number, g: number, b: number) => readonly number[],
): FloatImage<3> {
  const out = newFloatImage(image.width, image.height, 3);
  for (let i = 0; i < image.data.length; i += 3)
    out.data.set(change(image.data[i] as number, image.data[i + 1] as number, image.data[i + 2] as number), i);
  return out;
}

/** The largest difference where the mask is above 0. */
function worst(a: FloatImage<3>, b: FloatImage<3>, mask: Mask): number {
  return a.data.reduce(
    (max, v, i) =>
      (mask.data[Math.floor(i / 3)] as number) > 0 ? Math.max(max, Math.abs(v - (b.data[i] as number))) : max,
    0,
  );
}

/** For a mask without soft edges: all of the full picture is foreground. */
function upsample(
  full: Image,
  input: FloatImage<3>,
  output: FloatImage<3>,
  mask: Mask,
  options?: GuidedOptions,
): RgbRows {
  const whole = newFloatImage(full.width, full.height, 1);
  return guidedUpsample(full, { ...whole, data: whole.data.fill(1) }, { input, output, mask }, options);
}

const [W, H] = [640, 480];
const full = scene(W, H);
const fullMask = disc(W, H);
const size = workingSize(W, H, 160);
const small = resizeToRgb(full, size.width, size.height);
const smallMask = resize(fullMask, size.width, size.height);
const affine = (r: number, g: number, b: number) => [
  0.8 * r + 0.1 * g + 0.05,
  0.05 * r + 1.1 * g - 0.03,
  0.2 * r + 0.7 * b + 0.1,
];

describe("guided upsampling", () => {
  it("no change gives the picture back", () => {
    const result = collect(upsample(full, small, small, smallMask), W, H);
    expect(worst(result, toFloatRgb(full), fullMask)).toBeLessThan(1e-5);
  });

  it.each(FITS)("one affine change of colour comes out exactly at full size: fit %s", (fit) => {
    const result = collect(upsample(full, small, mapColours(small, affine), smallMask, { fit }), W, H);
    expect(worst(result, mapColours(toFloatRgb(full), affine), fullMask)).toBeLessThan(0.5 / 255);
  });

  it("without a fit the network's answer is met at its own size, whatever it is", () => {
    const wild = { ...small, data: small.data.map((_, i) => ((i * 2654435761) % 97) / 97) };
    const own: Image = { ...full, ...size, data: Uint8Array.from(small.data, (v) => Math.round(v * 255)) };
    const result = collect(upsample(own, toFloatRgb(own), wild, smallMask, { fit: "none" }), size.width, size.height);
    const inside = { ...smallMask, data: smallMask.data.map((m) => (m === 1 ? 1 : 0)) };
    expect(worst(result, wild, inside)).toBeLessThan(1e-5);
  });

  it("what happens in the background has no say in the foreground", () => {
    const output = mapColours(small, affine);
    smallMask.data.forEach((m, i) => {
      if (m === 0) output.data.set([9, -9, 9], 3 * i);
    });
    const result = collect(upsample(full, small, output, smallMask), W, H);
    expect(worst(result, mapColours(toFloatRgb(full), affine), fullMask)).toBeLessThan(0.5 / 255);
  });

  it("a change that varies over the picture is followed, and every edge stays sharp", () => {
    const shade = (image: FloatImage<3>): FloatImage<3> => {
      const out = newFloatImage(image.width, image.height, 3);
      out.data.forEach((_, i) => {
        const x = (Math.floor(i / 3) % image.width) / image.width;
        out.data[i] = (image.data[i] as number) * (0.7 + 0.5 * x) + 0.05 * x;
      });
      return out;
    };
    const expected = shade(toFloatRgb(full));
    const result = collect(upsample(full, small, shade(small), smallMask, { fit: "none" }), W, H);
    const [local, global] = (["local", "global"] as const).map((fit) =>
      worst(collect(upsample(full, small, shade(small), smallMask, { fit }), W, H), expected, fullMask),
    ) as [number, number];
    expect(local).toBeLessThan(global / 2);
    const enlarged = resize(shade(small), W, H);
    expect(worst(result, expected, fullMask)).toBeLessThan(4 / 255);
    expect(worst(enlarged, expected, fullMask)).toBeGreaterThan(25 / 255);
    // The step across the disc's edge, at its height, next to the plain enlargement's.
    const step = (image: FloatImage<3>): number => {
      let largest = 0;
      for (let x = 300; x < 620; x++) {
        const at = (240 * W + x) * 3;
        largest = Math.max(largest, Math.abs((image.data[at + 3] as number) - (image.data[at] as number)));
      }
      return largest;
    };
    expect(step(result)).toBeGreaterThan(0.95 * step(expected));
    expect(step(enlarged)).toBeLessThan(0.6 * step(expected));
  });

  it("a flat foreground that changes colour changes colour", () => {
    const flat: Image = { ...full, data: full.data.map(() => 100) };
    const low = resizeToRgb(flat, size.width, size.height);
    const result = collect(
      upsample(
        flat,
        low,
        mapColours(low, () => [0.9, 0.1, 0.5]),
        smallMask,
      ),
      W,
      H,
    );
    expect(
      worst(
        result,
        mapColours(toFloatRgb(flat), () => [0.9, 0.1, 0.5]),
        fullMask,
      ),
    ).toBeLessThan(1e-4);
  });

  it("any sizes, down to a pixel, any mask: finite colours", () => {
    fc.assert(
      fc.property(
        ...([9, 9, 40, 40].map((max) => fc.integer({ min: 1, max })) as [
          fc.Arbitrary<number>,
          fc.Arbitrary<number>,
          fc.Arbitrary<number>,
          fc.Arbitrary<number>,
        ]),
        fc.integer({ min: 0, max: 5 }),
        fc.constantFrom(...FITS),
        (w, h, fullW, fullH, radius, fit) => {
          const big = scene(Math.max(w, fullW), Math.max(h, fullH));
          const low = resizeToRgb(big, w, h);
          const mask = newFloatImage(w, h, 1);
          mask.data.forEach((_, i) => {
            mask.data[i] = (i * 7) % 5 === 0 ? 1 : 0;
          });
          const rows = upsample(
            big,
            low,
            mapColours(low, (r, g, b) => [b, 2 * r, g - 0.3]),
            mask,
            { radius, fit },
          );
          expect(collect(rows, big.width, big.height).data.every(Number.isFinite)).toBe(true);
        },
      ),
      { seed: 5, numRuns: 100 },
    );
  });

  it("refuses input, output and mask of different sizes", () => {
    expect(() => upsample(full, small, resize(small, 20, 10), smallMask)).toThrow(ShapeError);
    expect(() => upsample(full, small, small, fullMask)).toThrow(ShapeError);
  });

  it("12 megapixels, resized, fitted, applied and pasted, in a few seconds", () => {
    const [width, height] = [4000, 3000];
    const photo: Image = {
      width,
      height,
      channels: 3,
      depth: 8,
      data: new Uint8Array(width * height * 3).map((_, i) => (i * 2654435761) >>> 24),
    };
    const mask: Mask = { width, height, channels: 1, data: new Float32Array(width * height).fill(1) };
    const elapsed = cpuStopwatch();
    const low = resizeToRgb(photo, 512, 384);
    const lowMask = resize(mask, 512, 384);
    const result = paste(photo, upsample(photo, low, mapColours(low, affine), lowMask), mask);
    expect(elapsed()).toBeLessThan(8_000);
    expect(result.data.length).toBe(photo.data.length);
  });
});

describe("box sums", () => {
  it("are the sums over the window, cut at the borders", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0, max: 6 }),
        (width, height, radius) => {
          const value = (x: number, y: number, c: number): number => ((x * 5 + y * 11 + c * 3) % 13) - 4;
          const seen: number[] = [];
          boxSums(
            { width, height, channels: 2, radius },
            (y, row) => {
              for (let i = 0; i < row.length; i++) row[i] = value(i >> 1, y, i & 1);
            },
            (_, sums) => seen.push(...sums),
          );
          const expected: number[] = [];
          for (let y = 0; y < height; y++)
            for (let x = 0; x < width; x++)
              for (let c = 0; c < 2; c++) {
                let sum = 0;
                for (let v = Math.max(0, y - radius); v <= Math.min(height - 1, y + radius); v++)
                  for (let u = Math.max(0, x - radius); u <= Math.min(width - 1, x + radius); u++)
                    sum += value(u, v, c);
                expected.push(sum);
              }
          expect(seen).toEqual(expected);
        },
      ),
      { seed: 6 },
    );
  });
});
