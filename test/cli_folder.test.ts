/** `s2am harmonize` on a folder. */
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { boxMask, tinyWeights, workspace } from "./helpers/command_line.js";
import { pattern } from "./image_fixtures.js";

const work = workspace();
const weights = ["--weights", "tiny.safetensors"];

beforeAll(async () => {
  work.write("tiny.safetensors", tinyWeights());
  for (const folder of ["in", "empty", "masks"]) mkdirSync(work.path(folder));
  const mask = boxMask(64, 48, [10, 10, 40, 30]);
  for (const name of ["a.png", "b.JPG", "bad.png", "lonely.png", "a_real.png"]) {
    await work.picture(`in/${name}`, pattern(64, 48));
  }
  await work.picture("in/a_mask.png", mask);
  await work.picture("in/b_mask.png", mask);
  await work.picture("in/bad_mask.png", boxMask(32, 48, [1, 1, 4, 4]));
  await work.picture("masks/a_mask.png", mask);
  writeFileSync(work.path("in/notes.txt"), "not a picture");
  mkdirSync(work.path("in/album.png"));
  symlinkSync(work.path("in"), work.path("link"));
});

test("a bad pair is named and the rest go on: code 2 at the end; once it is gone, code 0", async () => {
  const args = ["harmonize", "in", "-o", "out/deep", "--compare", "strips", ...weights];
  const { code, stdout, stderr } = await work.s2am([...args, "--json"]);
  expect(code).toBe(2);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({
    adapter: expect.any(String),
    done: [
      { input: "in/a.png", mask: "in/a_mask.png", output: "out/deep/a.png", compare: "strips/a.png" },
      { input: "in/b.JPG", mask: "in/b_mask.png", output: "out/deep/b.JPG", compare: "strips/b.JPG" },
    ],
    failed: [{ input: "in/bad.png", error: expect.stringMatching(/in\/bad_mask\.png is 32 x 48 pixels/) }],
    withoutMask: ["lonely.png"],
  });
  expect(result.done).toHaveLength(2);
  expect(stderr).toMatch(/^lonely\.png: left out, there is no lonely_mask\.png$/m);
  expect(stderr).toMatch(/^3\/3 bad\.png: failed: in\/bad_mask\.png is 32 x 48/m);
  expect(readdirSync(work.path("out/deep")).sort()).toEqual(["a.png", "b.JPG"]);
  expect(readdirSync(work.path("strips")).sort()).toEqual(["a.png", "b.JPG"]);

  rmSync(work.path("in/bad.png"));
  const again = await work.s2am(["harmonize", "in", "-o", "out/deep", ...weights]);
  expect(again).toMatchObject({ code: 0, stdout: "out/deep: 2 of 2 pictures harmonized\n" });
});

test.each([
  ["an empty folder", ["empty", "-o", "new"], /empty: no pictures with a mask in it/],
  ["masks alone", ["masks", "-o", "new"], /masks: no pictures with a mask/],
  ["a mask for a folder", ["in", "in/a_mask.png", "-o", "new"], /in is a folder: its masks are/],
  ["into itself", ["in", "-o", "link"], /link: the output folder must not be the input folder/],
  ["strips into itself", ["in", "-o", "new", "--compare", "in/."], /must not be the input folder/],
  ["strips onto outputs", ["in", "-o", "new", "--compare", "./new"], /--compare must not name the output folder/],
  ["onto a file", ["in", "-o", "tiny.safetensors"], /tiny\.safetensors: a file is there/],
])("%s is refused before anything is made", (_, args, message) =>
  work.refused(["harmonize", ...args, ...weights], message),
);

test("a folder that cannot be made", () =>
  work.refused(["harmonize", "in", "-o", "tiny.safetensors/new", ...weights], /the folder cannot be made/, {
    before: false,
  }));
