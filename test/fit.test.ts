/** The fit of one transform to a network's answer: against a reference solve, what it recovers, and what it refuses to believe. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ColourTransform, IDENTITY, mapOf } from "../src/image/colour_transform.js";
import { describeTransform } from "../src/image/describe_transform.js";
import { momentsOf, pooled, solveGlobal } from "../src/image/fit.js";
import { type FloatImage, newFloatImage } from "../src/image/float.js";
import { mulberry32 } from "../src/random.js";

type Colours = readonly (readonly number[])[];

const imageOf = (colours: Colours): FloatImage<3> => ({
  width: colours.length,
  height: 1,
  channels: 3,
  data: Float32Array.from(colours.flat()),
});
const sure = (count: number, weight: (i: number) => number = () => 1): FloatImage<1> => {
  const image = newFloatImage(count, 1, 1);
  image.data.forEach((_, i) => {
    image.data[i] = weight(i);
  });
  return image;
};
const randomColours = (count: number, seed: number): number[][] => {
  const random = mulberry32(seed);
  return Array.from({ length: count }, () => [random(), random(), random()]);
};
const through = (transform: ColourTransform, colours: Colours): number[][] => {
  const map = mapOf(transform);
  return colours.map((colour) => {
    const out = new Float64Array(3);
    map(Float64Array.from(colour), out);
    return [...out];
  });
};
const momentsFor = (before: Colours, after: Colours, weights = sure(before.length)) =>
  momentsOf(imageOf(before), imageOf(after), weights);

/** Least squares of the change on (r, g, b, 1), ridge on r, g, b alone: normal equations, elimination with pivots, float64. */
function reference(before: Colours, after: Colours, weights: readonly number[]): ColourTransform {
  const f32 = Math.fround;
  const pixels = weights.reduce((sum, w) => sum + w, 0);
  const ridge = (1e-5 + 0.1 / Math.max(pixels, 1)) * pixels;
  const rows = [0, 1, 2].map((channel) => {
    const a = Array.from({ length: 4 }, () => new Array<number>(5).fill(0));
    for (const [p, colour] of before.entries()) {
      const x = [...colour.map(f32), 1];
      const y = f32((after[p] as number[])[channel] as number) - f32(colour[channel] as number);
      for (let i = 0; i < 4; i++) {
        const row = a[i] as number[];
        for (let j = 0; j < 4; j++)
          row[j] = (row[j] as number) + (weights[p] as number) * (x[i] as number) * (x[j] as number);
        row[4] = (row[4] as number) + (weights[p] as number) * (x[i] as number) * y;
      }
    }
    for (let i = 0; i < 3; i++) (a[i] as number[])[i] = ((a[i] as number[])[i] as number) + ridge;
    for (let i = 0; i < 4; i++) {
      const pivot = a
        .slice(i)
        .reduce(
          (best, row, k) => (Math.abs(row[i] as number) > Math.abs((a[best] as number[])[i] as number) ? i + k : best),
          i,
        );
      [a[i], a[pivot]] = [a[pivot] as number[], a[i] as number[]];
      for (let k = 0; k < 4; k++) {
        if (k === i) continue;
        const factor = ((a[k] as number[])[i] as number) / ((a[i] as number[])[i] as number);
        a[k] = (a[k] as number[]).map((value, j) => value - factor * ((a[i] as number[])[j] as number));
      }
    }
    return a.map((row, i) => (row[4] as number) / (row[i] as number) + (i === channel ? 1 : 0));
  });
  return rows as unknown as ColourTransform;
}

const affines = fc.array(fc.double({ min: -0.4, max: 0.4, noNaN: true }), { minLength: 12, maxLength: 12 });
const transformOf = (terms: readonly number[]): ColourTransform =>
  IDENTITY.map((row, i) => row.map((one, j) => one + (terms[4 * i + j] as number))) as unknown as ColourTransform;

describe("the fit of one transform", () => {
  test("is the ridge regression, solved another way in float64", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer(), (count, seed) => {
        const [before, after] = [randomColours(count, seed), randomColours(count, seed + 1)];
        const weights = sure(count, (i) => Math.fround(((i * 7) % 5) / 5 + 0.1));
        const { transform } = solveGlobal(momentsFor(before, after, weights), "global");
        const expected = reference(before, after, [...weights.data]);
        // Both solve systems whose condition is at most 1 / ridge <= 1e5, from sums with errors of 1e-16 a term.
        for (let i = 0; i < 3; i++)
          for (let j = 0; j < 4; j++) expect(transform[i]?.[j]).toBeCloseTo(expected[i]?.[j] as number, 9);
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  test("no change in, none out", () => {
    for (const colours of [randomColours(50, 3), [[0.3, 0.4, 0.5]], Array.from({ length: 9 }, () => [0, 0, 0])]) {
      for (const fit of ["auto", "global"] as const) {
        const { transform, changeLevels, restLevels } = solveGlobal(momentsFor(colours, colours), fit);
        expect({ transform, changeLevels, restLevels }).toEqual({
          transform: IDENTITY,
          changeLevels: 0,
          restLevels: 0,
        });
      }
    }
  });

  test("an affine change is recovered", () => {
    fc.assert(
      fc.property(affines, fc.integer(), (terms, seed) => {
        const before = randomColours(1000, seed);
        const wanted = transformOf(terms);
        const after = through(wanted, before);
        const { transform, restLevels } = solveGlobal(momentsFor(before, after), "global");
        // The ridge takes r / (variance + r) of the matrix's change, r = 1.1e-4, and no direction of a full cube of 1000 colours has a
        // variance below 1/15; colours lie at most 0.9 from the mean, and |D| <= 1.2.
        const bound = 1.1e-4 * 15 * 1.2 * 0.9;
        const [got, exact] = [through(transform, before).flat(), after.flat()];
        const worst = got.reduce((most, value, i) => Math.max(most, Math.abs(value - (exact[i] as number))), 0);
        expect(worst).toBeLessThan(bound);
        expect(restLevels).toBeLessThan(255 * bound);
      }),
      { seed: 2, numRuns: 50 },
    );
  });

  test("plain, few and collinear colours: the mean's change is met, contrast is kept, nothing runs away", () => {
    const plain = Array.from({ length: 400 }, () => [0.25, 0.5, 0.75]);
    const { transform } = solveGlobal(
      momentsFor(
        plain,
        through(
          [
            [0, 0, 0, 0.9],
            [0, 0, 0, 0.1],
            [0, 0, 0, 0.5],
          ],
          plain,
        ),
      ),
      "global",
    );
    expect(transform.map((row) => row.slice(0, 3))).toEqual(IDENTITY.map((row) => row.slice(0, 3)));
    expect(through(transform, [[0.25, 0.5, 0.75]])[0]).toEqual([0.9, 0.1, 0.5].map((v) => expect.closeTo(v, 6)));

    // Three pixels within four levels, answered by wild colours: |D| <= spread * answers' spread / (0.1 / 3).
    const few = [
      [0.5, 0.5, 0.5],
      [0.504, 0.5, 0.496],
      [0.5, 0.508, 0.5],
    ];
    const wild = solveGlobal(
      momentsFor(few, [
        [1, 0, 0.3],
        [0.2, 1, 0],
        [0, 0.4, 1],
      ]),
      "global",
    ).change;
    expect(Math.max(...wild.slice(0, 9).map(Math.abs))).toBeLessThan((0.016 * 1) / (0.1 / 3));

    const line = Array.from({ length: 100 }, (_, i) => [i / 100, i / 100, i / 100]);
    const warmed = through(
      [
        [1.1, 0, 0, 0.02],
        [0, 1, 0, 0],
        [0, 0, 0.8, 0],
      ],
      line,
    );
    const onLine = solveGlobal(momentsFor(line, warmed), "global").transform;
    for (const [i, colour] of through(onLine, line).entries())
      for (const c of [0, 1, 2])
        expect(Math.abs((colour[c] as number) - (warmed[i]?.[c] as number))).toBeLessThan(0.01);
    // Off the line nothing was seen: the matrix stays bounded.
    expect(Math.max(...onLine.flat().map(Math.abs))).toBeLessThan(1.2);

    const nothing = solveGlobal(
      momentsFor(
        few,
        few,
        sure(3, () => 0),
      ),
      "auto",
    );
    expect(nothing.transform).toEqual(IDENTITY);
  });

  test("sizes of the change and of the rest are those counted pixel by pixel", () => {
    const [before, after] = [randomColours(300, 8), randomColours(300, 9)];
    const { transform, changeLevels, restLevels } = solveGlobal(momentsFor(before, after), "global");
    const fitted = through(transform, before);
    const rms = (a: Colours, b: Colours): number =>
      255 * Math.sqrt(a.flat().reduce((sum, v, i) => sum + (v - (b.flat()[i] as number)) ** 2, 0) / 900);
    expect(changeLevels).toBeCloseTo(rms(fitted, before), 4);
    expect(restLevels).toBeCloseTo(rms(fitted, after), 4);
  });

  test("auto believes large changes, doubts small ones, and small ones beside a large rest the more", () => {
    const before = randomColours(500, 4).map((colour) => colour.map((v) => 0.2 + 0.5 * v));
    const shifted = (levels: number, noise: number): number => {
      const random = mulberry32(5);
      const after = before.map((colour) => colour.map((v) => v + levels / 255 + (noise / 255) * (2 * random() - 1)));
      return solveGlobal(momentsFor(before, after), "auto").share;
    };
    expect(shifted(1, 0)).toBe(0);
    expect(shifted(3.9, 0)).toBe(0);
    expect(shifted(40, 0)).toBeGreaterThan(0.999);
    const shares = [3, 4, 5, 6, 8, 12, 20, 40].map((levels) => shifted(levels, 0));
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shifted(8, 20)).toBeLessThan(shifted(8, 0));
    expect(
      solveGlobal(
        momentsFor(
          before,
          before.map((c) => c.map((v) => v + 1 / 255)),
        ),
        "global",
      ).share,
    ).toBe(1);
  });

  test("sums of two pictures are those of both together", () => {
    const [a, b, c, d] = [randomColours(40, 1), randomColours(40, 2), randomColours(40, 3), randomColours(40, 4)];
    const apart = pooled([
      { moments: momentsFor(a, b), weight: 1 },
      { moments: momentsFor(c, d), weight: 1 },
    ]);
    const together = momentsFor([...a, ...c], [...b, ...d]);
    expect(apart.squares).toBeCloseTo(together.squares, 9);
    for (const [k, sum] of together.sums.entries()) expect(apart.sums[k]).toBeCloseTo(sum, 9);
  });
});

describe("in words", () => {
  const before = randomColours(500, 6).map((colour) => colour.map((v) => 0.2 + 0.4 * v));
  const moments = momentsFor(before, before);
  const told = (transform: ColourTransform) => describeTransform(transform, moments);

  test("nothing, light, temperature, contrast, saturation", () => {
    expect(told(IDENTITY)).toEqual({
      exposureStops: 0,
      temperatureStops: 0,
      tintStops: 0,
      saturation: 1,
      contrast: 1,
      text: "hardly any change",
    });
    const brighter = told([
      [1.3, 0, 0, 0],
      [0, 1.3, 0, 0],
      [0, 0, 1.3, 0],
    ]);
    // In linear light a factor f of encoded colours near 0.4 is f^2.2 to f^2.4.
    expect(brighter.exposureStops).toBeGreaterThan(2 * Math.log2(1.3));
    expect(brighter.exposureStops).toBeLessThan(2.4 * Math.log2(1.3));
    expect(brighter.contrast).toBeCloseTo(1.3, 2);
    expect(brighter.text).toMatch(/^0\.8\d stops brighter, .*contrast x 1\.30$/);
    const warm = told([
      [1.1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 0.9, 0],
    ]);
    expect(warm.temperatureStops).toBeGreaterThan(0.4);
    expect(warm.text).toContain("warmer by");
    expect(
      told([
        [1, 0, 0, 0],
        [0, 1.1, 0, 0],
        [0, 0, 1, 0],
      ]).text,
    ).toContain("greener");
    // Half the way to gray.
    const gray = told(
      [0, 1, 2].map((i) => [...[0.299, 0.587, 0.114].map((w, j) => w / 2 + (i === j ? 0.5 : 0)), 0]) as never,
    );
    expect(gray.saturation).toBeCloseTo(0.5, 1);
    expect(gray.contrast).toBeCloseTo(1, 3);
  });

  test("black and plain objects: finite numbers", () => {
    for (const colour of [
      [0, 0, 0],
      [1, 1, 1],
      [0.5, 0.5, 0.5],
    ]) {
      const { text, ...numbers } = describeTransform(
        [
          [0, 0, 0, 0.5],
          [0, 0, 0, 0],
          [0, 0, 0, 1],
        ],
        momentsFor([colour], [colour]),
      );
      expect(Object.values(numbers).every(Number.isFinite)).toBe(true);
      expect(text).not.toContain("NaN");
    }
  });
});
