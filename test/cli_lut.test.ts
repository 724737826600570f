/** `s2am harmonize --fit`, `--lut`, `--apply-lut`: the change as numbers and as a table, through files as a user gives them. */
import { mkdirSync, readdirSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { type ColourTransform, IDENTITY } from "../src/image/colour_transform.js";
import { applyLut, parseCube, toCube } from "../src/image/cube.js";
import type { Image } from "../src/image/image.js";
import { boxMask, tinyWeights, workspace } from "./helpers/command_line.js";
import { hasFfmpeg, throughFfmpeg } from "./helpers/ffmpeg.js";
import { pattern } from "./image_fixtures.js";

const work = workspace();
const [W, H] = [64, 48];
const SOFA = [6, 8, 24, 40] as const;
const CAT = [34, 16, 56, 44] as const;
const WARM: ColourTransform = [
  [1.05, 0.05, -0.02, 0.03],
  [0.02, 0.9, 0.04, -0.01],
  [-0.03, 0.06, 0.8, 0.05],
];
const weights = ["--weights", "tiny.safetensors"];

beforeAll(async () => {
  await work.picture("a.png", pattern(W, H));
  await work.picture("deep.png", pattern(W, H, 3, 16));
  await work.picture("sofa.png", boxMask(W, H, SOFA));
  await work.picture("cat.png", boxMask(W, H, CAT));
  work.write("tiny.safetensors", tinyWeights());
  work.write("warm.cube", toCube(WARM));
  work.write("none.cube", toCube(IDENTITY, { size: 2 }));
  work.write("broken.cube", "LUT_3D_SIZE 2\n0 0 0\n");
  mkdirSync(work.path("in"));
  for (const name of ["x", "y"]) {
    await work.picture(`in/${name}.png`, pattern(W, H));
    await work.picture(`in/${name}_mask.png`, boxMask(W, H, SOFA));
  }
});

const isIn = ([x0, y0, x1, y1]: readonly [number, number, number, number], p: number): boolean =>
  p % W >= x0 && p % W < x1 && Math.floor(p / W) >= y0 && Math.floor(p / W) < y1;
/** Samples of a picture inside a box, or outside it. */
const samples = ({ data }: Image, box: typeof SOFA | typeof CAT, inside = true): number[] =>
  [...data].filter((_, i) => isIn(box, Math.floor(i / 3)) === inside);
const meanDifference = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] as number)), 0) / a.length;

describe("--lut", () => {
  test("is the result of --fit global: as this reads it, and as ffmpeg does", async () => {
    const args = ["harmonize", "a.png", "sofa.png", "-o", "out.png", "--fit", "global", "--lut", "sofa.cube"];
    const result = await work.done([...args, ...weights]);
    expect(result).toMatchObject({
      luts: ["sofa.cube"],
      transform: {
        fit: "global",
        share: 1,
        residual: { levels: 0, decibels: 100 },
        words: { text: expect.any(String) },
      },
    });
    const text = new TextDecoder().decode(work.read("sofa.cube"));
    expect(text).toMatch(/^# made by s2am/);
    expect(text).not.toContain("WARNING");
    const { matrix } = result.transform as { matrix: ColourTransform };
    expect(text.split("\n").filter((line) => /^[-\d]/.test(line))).toEqual(
      toCube(matrix)
        .split("\n")
        .filter((line) => /^[-\d]/.test(line)),
    );
    const [before, after] = [await work.decode("a.png"), await work.decode("out.png")];
    expect(samples(after, SOFA, false)).toEqual(samples(before, SOFA, false));
    const ours = applyLut(parseCube(text), before);
    // Rounding: of the table's six decimals, and of samples.
    expect(meanDifference(samples(ours, SOFA), samples(after, SOFA))).toBeLessThan(0.01);
  });

  // Another program's reading of the same file.
  test.skipIf(!hasFfmpeg)("ffmpeg makes the same of it, to a level", async () => {
    const args = ["harmonize", "a.png", "sofa.png", "-o", "ours.png", "--fit", "global", "--lut", "theirs.cube"];
    await work.done([...args, ...weights]);
    const [ours, theirs] = [await work.decode("ours.png"), await throughFfmpeg(work.folder, "a.png", "theirs.cube")];
    expect(meanDifference(samples(theirs, SOFA), samples(ours, SOFA))).toBeLessThan(1);
    expect(meanDifference(samples(theirs, SOFA), samples(await work.decode("a.png"), SOFA))).toBeGreaterThan(2);
  });

  test("several objects: a file each; what a table cannot hold is said on stderr and in the file", async () => {
    const two = ["a.png", "--mask", "sofa.png", "--mask", "cat.png", "-o", "two.png"];
    const { code, stderr } = await work.s2am(["harmonize", ...two, "--fit", "none", "--lut", "two.cube", ...weights]);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/^two_1\.cube: one transform/m) });
    const poor = /describes this result poorly: \d+\.\d levels of 255 off on average \(\d+\.\d dB\)/;
    for (const name of ["two_1.cube", "two_2.cube"]) {
      const text = new TextDecoder().decode(work.read(name));
      expect(text).toMatch(new RegExp(`# WARNING: one transform ${poor.source}`));
    }
    expect(work.exists("two.cube")).toBe(false);
  });

  test("refused: another ending, an input's name", async () => {
    await work.refused(
      ["harmonize", "a.png", "sofa.png", "-o", "o.png", "--lut", "o.lut", ...weights],
      /written as \.cube/,
    );
    await work.refused(
      ["harmonize", "a.png", "sofa.png", "-o", "o.png", "--lut", "no/o.cube", ...weights],
      /no such folder/,
    );
    await work.refused(
      ["harmonize", "a.png", "sofa.png", "-o", "o.png", "--fit", "best"],
      /Allowed choices are auto, global/,
    );
  });
});

describe("--apply-lut", () => {
  test("gives the objects their tables, with no device; what is not masked stays", async () => {
    const { stderr } = await work.s2am([
      "harmonize",
      "a.png",
      "sofa.png",
      "-o",
      "warm.png",
      "--apply-lut",
      "warm.cube",
    ]);
    expect(stderr).toBe("");
    const [before, after] = [await work.decode("a.png"), await work.decode("warm.png")];
    expect(samples(after, SOFA, false)).toEqual(samples(before, SOFA, false));
    // Halves are rounded from float32 here and from float64 there.
    const whole = samples(applyLut(parseCube(toCube(WARM)), before), SOFA);
    expect(meanDifference(samples(after, SOFA), whole)).toBeLessThan(0.01);

    const two = ["harmonize", "a.png", "--mask", "sofa.png", "--mask", "cat.png", "-o", "each.png"];
    const result = await work.done([
      ...two,
      "--apply-lut",
      "none.cube",
      "--apply-lut",
      "warm.cube",
      "--strength",
      "0.5",
    ]);
    expect(result).toMatchObject({ appliedLuts: ["none.cube", "warm.cube"], output: "each.png", width: W, height: H });
    const each = await work.decode("each.png");
    expect(samples(each, SOFA)).toEqual(samples(before, SOFA));
    const warm = samples(applyLut(parseCube(toCube(WARM)), before), CAT);
    const half = samples(before, CAT).map((v, i) => (v + (warm[i] as number)) / 2);
    // Half of a clipped and rounded sample, rounded.
    expect(Math.max(...samples(each, CAT).map((v, i) => Math.abs(v - (half[i] as number))))).toBeLessThanOrEqual(1);
    await work.done(["harmonize", "in", "-o", "out", "--apply-lut", "warm.cube"]);
    expect(readdirSync(work.path("out")).sort()).toEqual(["x.png", "y.png"]);
  });

  test.each([
    [["--apply-lut", "broken.cube"], /broken\.cube: cut off or incomplete, 1 of the table's 8 lines/],
    [["--apply-lut", "a.png"], /a\.png, line 1: /],
    [["--apply-lut", "gone.cube"], /gone\.cube: cannot be read/],
    [["--apply-lut", "warm.cube", "--lut", "b.cube"], /--lut has no meaning with --apply-lut/],
    [["--apply-lut", "warm.cube", "--fit", "auto"], /--fit has no meaning with --apply-lut/],
    [["--apply-lut", "warm.cube", "--apply-lut", "none.cube"], /2 changes of colour for 1 objects/],
    [["--sequence"], /--sequence takes a folder of frames/],
    [["--smooth", "3"], /a meaning with --sequence alone/],
  ])("refused: %j", (args, message) =>
    work.refused(["harmonize", "a.png", "sofa.png", "-o", "o.png", ...args], message),
  );
});
