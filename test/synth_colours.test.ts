/** Adjustments and colour transfers do what their names say. */
import { describe, expect, test } from "vitest";
import { type Adjustment, adjust, smoothCurve } from "../src/data/synth/adjust.js";
import { judge, type Measures, measure } from "../src/data/synth/judge.js";
import { eigenSymmetric, multiply, transposed } from "../src/data/synth/matrix3.js";
import { Draws } from "../src/data/synth/random_draws.js";
import { drawRecipe, type Recipe, restyle } from "../src/data/synth/recipe.js";
import { smoothOver } from "../src/data/synth/region_pixels.js";
import { STYLES } from "../src/data/synth/spec.js";
import { TRANSFERS, transferColours } from "../src/data/synth/transfer.js";
import { drawFamily, FAMILIES, type Family } from "../src/data/synth/varied.js";
import { mulberry32 } from "../src/random.js";

/** Correlated pixels round a mean. */
function cloud(seed: number, count: number, mean: readonly number[], spread: readonly number[]): Float32Array {
  const uniform = mulberry32(seed);
  const out = new Float32Array(3 * count);
  for (let p = 0; p < out.length; p += 3) {
    const [light, a, b] = [uniform() + uniform() - 1, uniform() - 0.5, uniform() - 0.5];
    out[p] = (mean[0] ?? 0) + (spread[0] ?? 0) * (light + 0.5 * a);
    out[p + 1] = (mean[1] ?? 0) + (spread[1] ?? 0) * (light - 0.5 * a);
    out[p + 2] = (mean[2] ?? 0) + (spread[2] ?? 0) * (light + 0.5 * b);
  }
  return out;
}

function statistics(pixels: Float32Array): { mean: number[]; covariance: number[] } {
  const n = pixels.length / 3;
  const mean = [0, 1, 2].map((c) => pixels.reduce((sum, v, p) => sum + (p % 3 === c ? v : 0), 0) / n);
  const covariance = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((k) => {
    const [i, j] = [Math.floor(k / 3), k % 3];
    let sum = 0;
    for (let p = 0; p < pixels.length; p += 3)
      sum += ((pixels[p + i] ?? 0) - (mean[i] ?? 0)) * ((pixels[p + j] ?? 0) - (mean[j] ?? 0));
    return sum / n;
  });
  return { mean, covariance };
}

const source = cloud(1, 4000, [90, 120, 80], [40, 25, 30]);
const reference = cloud(2, 2500, [150, 110, 130], [30, 45, 20]);
const draws = (seed = 3): Draws => new Draws(mulberry32(seed));

describe("colour transfer", () => {
  const same = (pixels: Float32Array): Float32Array => pixels;
  const through =
    (matrix: readonly number[], before = (v: number): number => v) =>
    (pixels: Float32Array): Float32Array =>
      pixels.map((_, p) => {
        const [row, at] = [3 * (p % 3), p - (p % 3)];
        return [0, 1, 2].reduce((sum, k) => sum + (matrix[row + k] ?? 0) * before(pixels[at + k] ?? 0), 0);
      });
  const toLms = through([0.3811, 0.5783, 0.0402, 0.1967, 0.7244, 0.0782, 0.0241, 0.1288, 0.8444]);
  const axes = [1, 1, 1, 1, 1, -2, 1, -1, 0].map((v, i) => v / Math.sqrt([3, 6, 2][Math.floor(i / 3)] ?? 1));
  const toLab = (pixels: Float32Array): Float32Array => through(axes, Math.log10)(toLms(pixels));
  const toYcbcr = through([0.299, 0.587, 0.114, -0.168736, -0.331264, 0.5, 0.5, -0.418688, -0.081312]);

  test.each([
    ["reinhard", toLab, 0.01],
    ["xiao", same, 0.01],
    ["fecker", toYcbcr, 0.03],
    ["pitie", same, 0.06],
  ] as const)("%s brings means and deviations to the reference's", (name, space, tolerance) => {
    const [got, want] = [transferColours(name, source, reference, draws()), reference].map(space).map(statistics);
    for (let c = 0; c < 3; c++) {
      const [a, b] = [got, want].map((of) => Math.sqrt(of?.covariance[4 * c] ?? 0)) as [number, number];
      expect(Math.abs(a / b - 1)).toBeLessThan(tolerance);
      expect(Math.abs((got?.mean[c] ?? 0) - (want?.mean[c] ?? 0))).toBeLessThan(tolerance * b);
    }
  });

  test("xiao brings the whole covariance along", () => {
    const [got, want] = [transferColours("xiao", source, reference, draws()), reference].map(statistics);
    for (const [i, value] of (got?.covariance ?? []).entries())
      expect(Math.abs(value - (want?.covariance[i] ?? 0))).toBeLessThan(0.5);
  });

  test("fecker brings each channel's histogram along", () => {
    const luma = (pixels: Float32Array): number[] => {
      const values: number[] = [];
      for (let p = 0; p < pixels.length; p += 3)
        values.push(0.299 * (pixels[p] ?? 0) + 0.587 * (pixels[p + 1] ?? 0) + 0.114 * (pixels[p + 2] ?? 0));
      return values.sort((a, b) => a - b);
    };
    const [got, want] = [luma(transferColours("fecker", source, reference, draws())), luma(reference)];
    for (const share of [0.05, 0.25, 0.5, 0.75, 0.95])
      expect(
        Math.abs((got[Math.floor(share * got.length)] ?? 0) - (want[Math.floor(share * want.length)] ?? 0)),
      ).toBeLessThan(1.5);
  });

  test.each(TRANSFERS)("%s from itself changes next to nothing; a flat colour stays finite", (name) => {
    const same = transferColours(name, source, source, draws());
    expect(Math.max(...same.map((value, p) => Math.abs(value - (source[p] ?? 0))))).toBeLessThan(2);
    const flat = transferColours(name, new Float32Array(300).fill(70), reference, draws());
    expect(flat.every(Number.isFinite)).toBe(true);
  });
});

test("eigenvectors diagonalise and come largest first", () => {
  const matrix = [4, 1, 0.5, 1, 3, -0.7, 0.5, -0.7, 2];
  const { values, vectors } = eigenSymmetric(matrix);
  expect([...values].sort((a, b) => b - a)).toEqual(values);
  const diagonal = [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => (i === j ? (values[i] ?? 0) : 0)));
  for (const [i, value] of multiply(multiply(vectors, diagonal), transposed(vectors)).entries())
    expect(value).toBeCloseTo(matrix[i] ?? 0, 10);
});

describe("adjustments", () => {
  const pixel = [60, 120, 200];
  const adjusted = (...adjustments: Adjustment[]): number[] => [...adjust(Float32Array.from(pixel), adjustments)];
  const linear = (v: number): number => ((v / 255 + 0.055) / 1.055) ** 2.4;
  const display = (v: number): number => 255 * (1.055 * Math.min(1, v) ** (1 / 2.4) - 0.055);

  test.each<[string, Adjustment, readonly number[]]>([
    ["a stop more doubles the light", { kind: "exposure", stops: 1 }, pixel.map((v) => display(2 * linear(v)))],
    [
      "warmer",
      { kind: "white balance", temperature: 0.6, tint: 0 },
      [0.3, 0, -0.3].map((s, c) => display(2 ** s * linear(pixel[c] ?? 0))),
    ],
    ["brightness", { kind: "brightness", factor: 1.2 }, [72, 144, 240]],
    ["contrast", { kind: "contrast", factor: 0.5, pivot: 0.5 }, pixel.map((v) => 127.5 + (v - 127.5) / 2)],
    ["gamma", { kind: "gamma", exponent: 2 }, pixel.map((v) => (v * v) / 255)],
    [
      "a response of each channel",
      { kind: "response", factors: [1.1, 1, 0.5], exponents: [1, 2, 0.5] },
      [66, 120 ** 2 / 255, 127.5 * Math.sqrt(200 / 255)],
    ],
    [
      "haze goes towards its light",
      { kind: "haze", share: 0.25, light: [1, 0.8, 0.6] },
      [0.75 * 60 + 0.25 * 255, 0.75 * 120 + 0.25 * 204, 0.75 * 200 + 0.25 * 153],
    ],
    ["haze lifted", { kind: "haze", share: -0.2, light: [1, 1, 1] }, [21, 93, 189]],
    ["no saturation is gray", { kind: "saturation", factor: 0 }, [111.18, 111.18, 111.18]],
    ["a straight curve changes nothing", { kind: "curve", values: [[0.25, 0.5, 0.75]] }, pixel],
  ])("%s", (_, adjustment, expected) => {
    for (const [c, value] of adjusted(adjustment).entries()) expect(value).toBeCloseTo(expected[c] ?? 0, 1);
  });

  test("go one after another, each from 0 to 255", () => {
    const both = adjusted({ kind: "brightness", factor: 2 }, { kind: "contrast", factor: 0.5, pivot: 0 });
    for (const [c, value] of [60, 120, 127.5].entries()) expect(both[c]).toBeCloseTo(value, 1);
    const split = adjusted(
      { kind: "brightness", factor: 2 },
      { kind: "saturation", factor: 1 },
      { kind: "brightness", factor: 0.5 },
    );
    for (const [c, value] of [60, 120, 127.5].entries()) expect(split[c]).toBeCloseTo(value, 1);
  });

  test("curves rise where their points do, and pass through them", () => {
    const curve = smoothCurve([0, 0.3, 0.45, 0.8, 1]);
    for (const [i, value] of [0, 0.3, 0.45, 0.8, 1].entries()) expect(curve(i / 4)).toBeCloseTo(value, 12);
    for (let i = 0; i < 200; i++) expect(curve((i + 1) / 200)).toBeGreaterThanOrEqual(curve(i / 200));
  });
});

test.each(STYLES)("a recipe of style %s follows from its draws, and stays in range", (style) => {
  for (let seed = 0; seed < 60; seed++) {
    const recipe = drawRecipe(style, true, draws(seed));
    expect(drawRecipe(style, true, draws(seed))).toEqual(recipe);
    const changes = recipe.transfer !== null || recipe.adjustments.length > 0;
    expect(changes).toBe(recipe.family !== "untouched");
    expect(recipe.family !== undefined).toBe(style === "varied");
    if (style === "s-coco") expect(recipe).toMatchObject({ transfer: null });
    if (style === "hcoco") expect(recipe.transfer).not.toBeNull();
    expect(drawRecipe(style, false, draws(seed)).transfer).toBeNull();
    const out = restyle(source.subarray(0, 600), recipe, reference, draws(seed), (change) => change);
    expect(out.every((value) => value >= 0 && value <= 255)).toBe(true);
  }
});

describe("the style varied", () => {
  const restyled = (seed: number, family: Family): { readonly rmse: number; readonly out: Float32Array } => {
    const pixels = source.subarray(0, 300);
    const recipe = drawRecipe("varied", true, draws(seed), family);
    const out = restyle(pixels, recipe, reference, draws(seed), (change) => change);
    const square = out.reduce((sum, value, p) => sum + (value - (pixels[p] ?? 0)) ** 2, 0);
    return { rmse: Math.sqrt(square / out.length), out };
  };

  // Of 4,000 draws a share of 0.02 has a deviation of 0.0022, one of 0.46 of 0.0079: four of them either way.
  test("draws every kind, most often that of the measured composites", () => {
    const counts = new Map<Family, number>(FAMILIES.map((family) => [family, 0]));
    for (let seed = 0; seed < 4000; seed++) {
      const family = drawFamily(draws(seed));
      counts.set(family, (counts.get(family) ?? 0) + 1);
    }
    const share = (family: Family): number => (counts.get(family) ?? 0) / 4000;
    expect(Math.abs(share("s-coco") - 0.46)).toBeLessThan(0.032);
    expect(Math.abs(share("untouched") - 0.06)).toBeLessThan(0.015);
    for (const family of FAMILIES) expect(share(family)).toBeGreaterThan(0.011);
    expect([...counts.keys()]).toHaveLength(FAMILIES.length);
  });

  test("leaves the untouched as they are, to the bit", () => {
    expect(restyled(3, "untouched").out).toEqual(source.slice(0, 300));
  });

  test.each(FAMILIES.filter((family) => family !== "untouched"))("%s: from faint to strong", (family) => {
    const errors = Array.from({ length: 240 }, (_, seed) => restyled(seed, family).rmse);
    expect(Math.min(...errors)).toBeLessThan(4);
    expect(Math.max(...errors)).toBeGreaterThan(14);
  });

  test("a strength takes that share of the whole change", () => {
    const recipe: Recipe = {
      transfer: null,
      amount: 1,
      adjustments: [{ kind: "brightness", factor: 0.5 }],
      strength: 0.4,
    };
    const out = restyle(Float32Array.of(100, 150, 200), recipe, null, draws(1), (change) => change);
    for (const [c, value] of [80, 120, 160].entries()) expect(out[c]).toBeCloseTo(value, 1);
  });
});

test("grain is evened out over the region alone", () => {
  const size = 16;
  const mask = Uint8Array.from({ length: size * size }, (_, i) => (i % size < 8 ? 255 : 0));
  const values = new Float32Array((3 * size * size) / 2).fill(5);
  expect(smoothOver(mask, size, values)).toEqual(values);
  const spike = values.slice();
  spike[3 * (8 * 8 + 4)] = 5 + 49;
  const smooth = smoothOver(mask, size, spike);
  expect(smooth[3 * (8 * 8 + 4)]).toBeCloseTo(6, 5);
  expect(smooth[3 * (8 * 8 + 4) + 1]).toBe(5);
});

describe("what is not worth learning from", () => {
  const good: Measures = { share: 0.3, rmse: 25, clipped: 0.01, contrast: 0.9 };
  test.each<[string | null, Partial<Measures>]>([
    [null, {}],
    ["mask too small", { share: 0.01 }],
    ["mask too large", { share: 0.7 }],
    ["barely changed", { rmse: 2 }],
    ["too strong", { rmse: 120 }],
    ["clipped", { clipped: 0.3 }],
    ["flattened", { contrast: 0.1 }],
  ])("%s", (reason, wrong) => expect(judge({ ...good, ...wrong }, 0.02, 0.6)).toBe(reason));

  test("a faint change is, where the style wants it", () => {
    expect(judge({ ...good, rmse: 0 }, 0.02, 0.6, 0)).toBe(null);
    expect(judge({ ...good, rmse: 0, share: 0.7 }, 0.02, 0.6, 0)).toBe("mask too large");
  });

  test("is measured inside the mask", () => {
    const natural = Uint8Array.from([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120]);
    const composite = Uint8Array.from([10, 20, 30, 43, 54, 255, 70, 80, 90, 100, 110, 120]);
    const { share, rmse, clipped } = measure(natural, composite, Uint8Array.from([0, 255, 127, 0]));
    expect(share).toBeCloseTo((255 + 127) / 1020, 12);
    expect(rmse).toBeCloseTo(Math.sqrt((9 + 16 + 195 ** 2) / 3), 10);
    expect(clipped).toBeCloseTo(1 / 3, 12);
  });
});
