/** .cube files: written and read back, read between points, applied, and what is refused. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError, S2amError, UsageError } from "../src/errors.js";
import { encodeImage } from "../src/image/codec.node.js";
import { type ColourTransform, IDENTITY, mapOf } from "../src/image/colour_transform.js";
import { applyLut, type Lut, lutOf, mapOfLut, parseCube, toCube } from "../src/image/cube.js";
import type { Image } from "../src/image/image.js";
import { hasFfmpeg, throughFfmpeg } from "./helpers/ffmpeg.js";
import { pattern } from "./image_fixtures.js";

const WARM: ColourTransform = [
  [1.1, 0.05, -0.02, 0.03],
  [0.02, 0.9, 0.04, -0.01],
  [-0.03, 0.06, 0.8, 0.05],
];
const look = (lut: Lut, colour: readonly number[]): number[] => {
  const out = new Float64Array(3);
  mapOfLut(lut)(Float64Array.from(colour), out);
  return [...out];
};
const told = (transform: ColourTransform, colour: readonly number[]): number[] => {
  const out = new Float64Array(3);
  mapOf(transform)(Float64Array.from(colour), out);
  return [...out];
};
const unit = fc.double({ min: 0, max: 1, noNaN: true });
const colours = fc.tuple(unit, unit, unit);

describe("a table", () => {
  test("of an affine change gives that change between its points too", () => {
    for (const size of [2, 3, 17, 33]) {
      const lut = lutOf(WARM, size);
      fc.assert(
        fc.property(colours, (colour) => {
          // Float32 points of at most 1.3, and four of them mixed.
          for (const [c, value] of look(lut, colour).entries())
            expect(Math.abs(value - (told(WARM, colour)[c] as number))).toBeLessThan(4 * 1.3 * 2 ** -24);
        }),
        { seed: 3, numRuns: 100 },
      );
    }
  });

  test("of any change meets its points, and between them no colour leaves those of the cell's corners", () => {
    const curved = lutOf((colour, out) => {
      const [r, g, b] = [...colour] as [number, number, number];
      out.set([r * r, Math.sqrt(g), r * g * b]);
    }, 5);
    for (const point of [
      [0, 0.25, 1],
      [0.75, 0.5, 0.5],
      [1, 1, 1],
    ] as const)
      for (const [c, value] of [point[0] ** 2, Math.sqrt(point[1]), point[0] * point[1] * point[2]].entries())
        expect(look(curved, point)[c]).toBeCloseTo(value, 6);
    fc.assert(
      fc.property(colours, (colour) => {
        const corners = Array.from({ length: 8 }, (_, k) =>
          look(
            curved,
            colour.map((v, c) => Math.min(1, (Math.min(3, Math.floor(4 * v)) + ((k >> c) & 1)) / 4)),
          ),
        );
        for (const [c, value] of look(curved, colour).entries()) {
          expect(value).toBeGreaterThanOrEqual(Math.min(...corners.map((corner) => corner[c] as number)) - 1e-6);
          expect(value).toBeLessThanOrEqual(Math.max(...corners.map((corner) => corner[c] as number)) + 1e-6);
        }
      }),
      { seed: 4, numRuns: 200 },
    );
  });

  test("comes back from its file", () => {
    const lut = lutOf(WARM, 9, "warm");
    const text = toCube(lut, { comments: ["one", "two\nlines"] });
    expect(text.split("\n").slice(0, 6)).toEqual([
      "# one",
      "# two?lines",
      'TITLE "warm"',
      "LUT_3D_SIZE 9",
      "DOMAIN_MIN 0.000000 0.000000 0.000000",
      "DOMAIN_MAX 1.000000 1.000000 1.000000",
    ]);
    // Red first.
    expect(text.split("\n")[7]).toBe(
      told(WARM, [1 / 8, 0, 0])
        .map((v) => v.toFixed(6))
        .join(" "),
    );
    const { data, ...head } = parseCube(text);
    expect(head).toEqual({ dimensions: 3, size: 9, title: "warm", domainMin: [0, 0, 0], domainMax: [1, 1, 1] });
    for (const [i, value] of data.entries()) expect(Math.abs(value - (lut.data[i] as number))).toBeLessThan(6e-7);
    expect(toCube(WARM, { size: 9 })).toBe(toCube(lutOf(WARM, 9)));
  });
});

describe("reading", () => {
  const CUBE = "0 0 0\n1 0 0\n0 1 0\n1 1 0\n0 0 1\n1 0 1\n0 1 1\n1 1 1\n";

  test("comments, blank lines, Windows' ends, a byte order mark, words of other programs, exponents, domains", () => {
    const text = `\ufeff#made elsewhere\r\nTITLE warm days\r\nSOME_PROGRAMS_WORD 3\r\n\r\nLUT_3D_SIZE 2\r\nDOMAIN_MIN 0 0 0\r\nDOMAIN_MAX 2 2 2\r\n${CUBE.replace("1 1 1", "1.0e0 1. +1")}`;
    const lut = parseCube(text);
    expect(lut).toMatchObject({ size: 2, title: "warm days", domainMax: [2, 2, 2] });
    expect(look(lut, [1, 0.5, 0.25])).toEqual([0.5, 0.25, 0.125]);
    const ranged = parseCube(`LUT_3D_SIZE 2\nLUT_3D_INPUT_RANGE 0.25 0.75\n${CUBE}`);
    expect(look(ranged, [0.5, 0.1, 0.9])).toEqual([0.5, 0, 1]);
  });

  test("curves", () => {
    const lut = parseCube("LUT_1D_SIZE 3\n0 1 0\n0.25 0.5 0.5\n1 0 1\n");
    expect(look(lut, [0.5, 0.25, 1])).toEqual([0.25, 0.75, 1]);
    expect(look(lut, [0.75, 0, 0.125])).toEqual([0.625, 1, 0.125]);
  });

  test.each([
    ["", /line 0: no LUT_3D_SIZE or LUT_1D_SIZE/],
    [CUBE, /line 1: no LUT_3D_SIZE/],
    ["\x89PNG\r\n\x1a\n\0\0\0", /line 1: expected 3 numbers/],
    [`LUT_3D_SIZE 2\n${CUBE.slice(0, -6)}`, /cut off or incomplete, 7 of the table's 8 lines/],
    ["LUT_3D_SIZE 2\n", /0 of the table's 8/],
    [`LUT_3D_SIZE 2\n${CUBE}0 0 0\n`, /line 10: one line too many: the table has 8/],
    [`LUT_3D_SIZE 1\n${CUBE}`, /expected a whole number from 2 to 256/],
    [`LUT_3D_SIZE 300\n${CUBE}`, /from 2 to 256/],
    [`LUT_3D_SIZE 2.5\n${CUBE}`, /from 2 to 256/],
    [`LUT_3D_SIZE\n${CUBE}`, /line 1: expected a number, found ""/],
    [`LUT_3D_SIZE 2\nLUT_3D_SIZE 2\n${CUBE}`, /a second time/],
    [`LUT_1D_SIZE 2\nLUT_3D_SIZE 2\n${CUBE}`, /shaper and cube in one file/],
    [`LUT_3D_SIZE 2\n${CUBE.replace("1 0 1", "1 0")}`, /line 7: expected 3 numbers, found "1 0"/],
    [`LUT_3D_SIZE 2\n${CUBE.replace("1 0 1", "1 0 x")}`, /line 7/],
    [`LUT_3D_SIZE 2\n${CUBE.replace("1 0 1", "1 0 nan")}`, /line 7/],
    [`LUT_3D_SIZE 2\n${CUBE.replace("1 0 1", "1 0 1e99")}`, /line 7/],
    [`LUT_3D_SIZE 2\nDOMAIN_MAX 1 0 1\n${CUBE}`, /DOMAIN_MIN 0 0 0 is not below DOMAIN_MAX 1 0 1/],
    [`LUT_3D_SIZE 2\n${CUBE}DOMAIN_MAX 1 1 1\n`, /DOMAIN_MAX behind the table/],
    [`LUT_3D_SIZE 2\nLUT_IN_VIDEO_RANGE\n${CUBE}`, /full range/],
    [`LUT_3D_SIZE 2\n${"0 ".repeat(9000)}\n`, /too long/],
  ])("refuses what is wrong: %j", (text, message) => {
    expect(() => parseCube(text, "a.cube")).toThrow(InputError);
    expect(() => parseCube(text, "a.cube")).toThrow(message);
    expect(() => parseCube(text, "a.cube")).toThrow(/^a\.cube/);
  });

  test("whatever it is given: a table, or an error of its own", () => {
    const whole = toCube(IDENTITY, { size: 3 });
    const attempt = (text: string): void => {
      try {
        const lut = parseCube(text);
        expect(lut.data.every(Number.isFinite)).toBe(true);
      } catch (error) {
        if (!(error instanceof S2amError)) throw error;
      }
    };
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(40), fc.string({ maxLength: 40 }), (at, length, put) => {
        attempt(whole.slice(0, at) + put + whole.slice(at + length));
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  test("sizes that no program writes are refused", () => {
    for (const size of [1, 257, 2.5]) expect(() => lutOf(IDENTITY, size)).toThrow(UsageError);
  });
});

describe("a picture through a table", () => {
  test("nothing changes by none; forms, depths and alpha stay", () => {
    for (const image of [
      pattern(13, 7),
      pattern(13, 7, 1),
      pattern(13, 7, 2, 16),
      pattern(13, 7, 4),
      pattern(13, 7, 3, 16),
    ]) {
      expect(applyLut(lutOf(IDENTITY), image)).toEqual(image);
      const warm = applyLut(lutOf(WARM), image);
      expect({ ...warm, data: null }).toEqual({ ...image, data: null });
      expect(warm.data).not.toEqual(image.data);
      const alpha = (one: Image): number[] =>
        image.channels % 2 ? [] : [...one.data].filter((_, i) => i % image.channels === image.channels - 1);
      expect(alpha(warm)).toEqual(alpha(image));
    }
  });

  // The foreign reader of what is written here. Without it nothing says that other programs agree.
  test.skipIf(!hasFfmpeg)("ffmpeg reads and applies it as this does", async () => {
    const folder = mkdtempSync(join(tmpdir(), "s2am-cube-"));
    try {
      const image = pattern(96, 64);
      writeFileSync(join(folder, "in.png"), await encodeImage(image, "png"));
      writeFileSync(join(folder, "warm.cube"), toCube(WARM, { title: "warm", comments: ["a comment"] }));
      const theirs = await throughFfmpeg(folder, "in.png", "warm.cube");
      const ours = applyLut(parseCube(toCube(WARM)), image);
      const differences = Array.from(theirs.data, (value, i) => Math.abs(value - (ours.data[i] as number)));
      // ffmpeg cuts fractions off where this rounds.
      expect(Math.max(...differences)).toBeLessThanOrEqual(1);
      expect(theirs.data).not.toEqual(image.data);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
