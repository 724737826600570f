/** `s2am harmonize FRAMES --sequence`, through files. */
import { mkdirSync, readdirSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import type { SequenceReport } from "../src/cli/harmonize_sequence.js";
import { boxMask, tinyWeights, workspace } from "./helpers/command_line.js";
import { pattern } from "./image_fixtures.js";

const work = workspace();
const [W, H] = [64, 48];
const weights = ["--weights", "tiny.safetensors"];

beforeAll(async () => {
  work.write("tiny.safetensors", tinyWeights());
  mkdirSync(work.path("frames"));
  const day = pattern(W, H);
  const night = { ...day, data: day.data.map((v) => v >> 2) };
  for (const [name, image] of [
    ["f2", day],
    ["f9", day],
    ["f10", night],
    ["f11", night],
    ["bad", day],
  ] as const) {
    await work.picture(`frames/${name}.png`, image);
    await work.picture(`frames/${name}_mask.png`, boxMask(name === "bad" ? W + 1 : W, H, [10, 8, 50, 40]));
  }
});

test("frames in natural order, one transform a shot, a table a shot; a bad frame is named and the rest go on", async () => {
  const args = ["harmonize", "frames", "-o", "out", "--sequence", "--lut", "luts", "--json", ...weights];
  const { code, stdout, stderr } = await work.s2am(args);
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(/bad\.png: failed: .*65 x 48/) });
  const result: SequenceReport = JSON.parse(stdout);
  expect(result.shots).toMatchObject([
    { first: "f2.png", last: "f9.png", frames: 2, difference: null, luts: ["luts/f2.cube"] },
    { first: "f10.png", last: "f11.png", frames: 2, difference: expect.any(Number), luts: ["luts/f10.cube"] },
  ]);
  expect(result.done.map(({ input, shot }) => [input, shot])).toEqual([
    ["frames/f2.png", 0],
    ["frames/f9.png", 0],
    ["frames/f10.png", 1],
    ["frames/f11.png", 1],
  ]);
  expect(result.failed).toMatchObject([{ input: "frames/bad.png" }]);
  expect(readdirSync(work.path("out")).sort()).toEqual(["f10.png", "f11.png", "f2.png", "f9.png"]);
  expect(readdirSync(work.path("luts")).sort()).toEqual(["f10.cube", "f2.cube"]);
  // Equal frames, equal results; and the transform is the one that is told.
  expect(work.read("out/f2.png")).toEqual(work.read("out/f9.png"));
  expect(work.read("out/f2.png")).not.toEqual(work.read("frames/f2.png"));
  const again = ["harmonize", "frames/f2.png", "frames/f2_mask.png", "-o", "again.png", "--apply-lut", "luts/f2.cube"];
  await work.done(again);
  const [told, seen] = [await work.decode("again.png"), await work.decode("out/f2.png")];
  expect(Math.max(...told.data.map((v, i) => Math.abs(v - (seen.data[i] as number))))).toBeLessThanOrEqual(1);
});

test("--smooth: a transform a frame; a fit that is none is refused", async () => {
  const args = ["harmonize", "frames", "-o", "smooth", "--sequence", "--smooth", "3", "--json", ...weights];
  const { stdout } = await work.s2am(args);
  const { done, shots }: SequenceReport = JSON.parse(stdout);
  expect(done.map(({ transforms }) => transforms?.length)).toEqual([1, 1, 1, 1]);
  expect(shots.map(({ transforms, luts }) => [transforms, luts])).toEqual([
    [undefined, null],
    [undefined, null],
  ]);
  await work.refused(
    ["harmonize", "frames", "-o", "no", "--sequence", "--fit", "none", ...weights],
    /fit auto or global, got none/,
  );
});
