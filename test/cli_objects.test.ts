/** `s2am harmonize` with several masks and with a reference, through files as a user gives them. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { encodeImage } from "../src/image/codec.node.js";
import { boxMask, tinyWeights, workspace } from "./helpers/command_line.js";
import { pattern } from "./image_fixtures.js";

const work = workspace();
const [W, H] = [64, 48];
const weights = ["--weights", "tiny.safetensors"];

beforeAll(async () => {
  work.write("tiny.safetensors", tinyWeights());
  await work.picture("a.png", pattern(W, H));
  await work.picture("sofa.png", boxMask(W, H, [4, 4, 24, 40]));
  await work.picture("cat.png", boxMask(W, H, [34, 8, 58, 30]));
  await work.picture("small.png", boxMask(32, 48, [1, 1, 4, 4]));
  await work.picture("empty.png", boxMask(W, H, [0, 0, 0, 0]));
  await work.picture("opaque.png", { ...pattern(W, H, 4), data: pattern(W, H, 4).data.fill(255) });
  const jpeg = await encodeImage(pattern(W, H), "jpeg");
  work.write("photo.jpg", jpeg);
  work.write("cut_off.jpg", jpeg.subarray(0, jpeg.length / 2));
  work.write(
    "scrambled.jpg",
    jpeg.map((byte, i) => (i > 200 && i < 400 ? 0xff : byte)),
  );
});

const harmonize = (...args: readonly string[]) => work.done(["harmonize", ...args, ...weights]);

describe("several masks", () => {
  test("as options, or the first as an argument: the same picture, reported with its masks", async () => {
    const result = await harmonize("a.png", "--mask", "sofa.png", "--mask", "cat.png", "-o", "both.png");
    expect(result).toMatchObject({ mask: "sofa.png", masks: ["sofa.png", "cat.png"], reference: null });
    await harmonize("a.png", "sofa.png", "--mask", "cat.png", "-o", "mixed.png", "--compare", "strip.png");
    expect(work.read("mixed.png")).toEqual(work.read("both.png"));
    expect(await work.decode("strip.png")).toMatchObject({ width: 3 * W + 8, height: H });

    const [before, both] = [await work.decode("a.png"), await work.decode("both.png")];
    const inside = (x: number, y: number): boolean =>
      (x >= 4 && x < 24 && y >= 4 && y < 40) || (x >= 34 && x < 58 && y >= 8 && y < 30);
    let changed = 0;
    for (let i = 0; i < before.data.length; i++) {
      if (before.data[i] === both.data[i]) continue;
      expect(inside(Math.floor(i / 3) % W, Math.floor(i / 3 / W))).toBe(true);
      changed++;
    }
    expect(changed).toBeGreaterThan(2000);

    // The last one is harmonized as if it were alone in the picture that the others left.
    await harmonize("a.png", "sofa.png", "-o", "sofa_alone.png");
    await harmonize("a.png", "--mask", "sofa.png", "-o", "sofa_option.png");
    expect(work.read("sofa_option.png")).toEqual(work.read("sofa_alone.png"));
    expect(work.read("both.png")).not.toEqual(work.read("sofa_alone.png"));
  });

  test("what people see", async () => {
    const args = ["harmonize", "a.png", "sofa.png", "--mask", "cat.png", "-o", "lines.png", ...weights];
    const { stdout } = await work.s2am(args);
    expect(stdout).toMatch(
      /^lines\.png: 64 x 48, 2 objects, network at 64 x 48 in \d+ ms, \d+ ms in all\n {2}object 1: .*\n {2}object 2: .*\n$/,
    );
  });
});

test("--reference is reported, and gives another picture", async () => {
  const result = await harmonize("a.png", "sofa.png", "-o", "matched.png", "--reference", "30,0,34,48");
  expect(result).toMatchObject({ reference: { x: 30, y: 0, width: 34, height: 48 } });
  expect(work.read("matched.png")).not.toEqual(work.read("sofa_alone.png"));
});

describe("refusals, before a device is opened and with nothing written", () => {
  const two = (second: string): string[] => ["a.png", "--mask", "sofa.png", "--mask", second];
  test.each([
    ["one of several masks missing", two("gone.png"), /gone\.png: cannot be read \(no such file\)/],
    ["of another size", two("small.png"), /small\.png is 32 x 48 pixels and a\.png 64 x 48/],
    ["empty", two("empty.png"), /empty\.png: empty, no pixel is marked/],
    ["given twice", two("sofa.png"), /sofa\.png: all of it lies under later masks/],
    ["a picture that is none", two("tiny.safetensors"), /tiny\.safetensors: not an image; expected a PNG/],
    ["a cut-out without alpha", ["photo.jpg"], /photo\.jpg: no mask was given, and the picture has no alpha channel/],
    ["a cut-out that is opaque", ["opaque.png"], /opaque\.png: .*opaque everywhere/],
    ["a JPEG cut off", ["cut_off.jpg", "sofa.png"], /cut_off\.jpg: damaged or unreadable picture/],
    ["a JPEG scrambled", ["scrambled.jpg", "sofa.png"], /scrambled\.jpg: damaged or unreadable picture/],
    ["a reference off the picture", ["a.png", "sofa.png", "--reference", "30,0,35,48"], /30,0,35,48 .*64 x 48 pixels/],
    ["before its corner", ["a.png", "sofa.png", "--reference", "-1,0,30,40"], /-1,0,30,40 .*does not lie in the/],
    ["inside the mask", ["a.png", "sofa.png", "--reference", "6,6,12,12"], /6,6,12,12 holds no background at all/],
    ["inside the second mask", [...two("cat.png"), "--reference", "36,10,12,12"], /holds no background at all/],
    ["too small", ["a.png", "sofa.png", "--reference", "30,0,4,4"], /too small to take colours from/],
    ["three numbers", ["a.png", "sofa.png", "--reference", "30,0,4"], /'30,0,4' is invalid\. expected four whole/],
    ["a fraction", ["a.png", "sofa.png", "--reference", "30,0,4.5,9"], /expected four whole numbers x,y,width,height/],
    ["words", ["a.png", "sofa.png", "--reference", "left"], /expected four whole numbers/],
    ["an empty number", ["a.png", "sofa.png", "--reference", "1,,2,3"], /expected four whole numbers/],
  ])("%s", (_, args, message) => work.refused(["harmonize", ...args, "-o", "out.png", ...weights], message));

  test("the output on one of the masks", () =>
    work.refused(["harmonize", ...two("cat.png"), "-o", "cat.png", ...weights], /cat\.png: the output must not be an/));
});

test("a folder: numbered masks are one picture's; what is wrong with their names is told, and the rest go on", async () => {
  for (const folder of ["in", "in/no"]) mkdirSync(work.path(folder), { recursive: true });
  const copy = (from: string, to: string): void => writeFileSync(work.path(`in/${to}`), work.read(from));
  for (const name of ["one", "two", "gap", "both", "same", "lonely"]) copy("a.png", `${name}.png`);
  copy("sofa.png", "one_mask.png");
  copy("sofa.png", "two_mask_1.png");
  copy("cat.png", "two_mask_2.png");
  copy("sofa.png", "gap_mask_1.png");
  copy("cat.png", "gap_mask_3.png");
  copy("sofa.png", "both_mask.png");
  copy("cat.png", "both_mask_1.png");
  copy("sofa.png", "same_mask_1.png");
  copy("cat.png", "same_mask_01.png");
  const { code, stdout } = await work.s2am(["harmonize", "in", "-o", "out", "--json", ...weights]);
  expect(code).toBe(2);
  const { done, failed, withoutMask } = JSON.parse(stdout);
  expect(done).toMatchObject([
    { input: "in/one.png", masks: ["in/one_mask.png"] },
    { input: "in/two.png", masks: ["in/two_mask_1.png", "in/two_mask_2.png"] },
  ]);
  expect(failed).toEqual([
    { input: "in/both.png", error: "in/both.png: both both_mask.png and both_mask_1.png: keep one form" },
    { input: "in/gap.png", error: "in/gap.png: gap_mask_2.png is missing, and there is gap_mask_3.png" },
    {
      input: "in/same.png",
      error: expect.stringMatching(/^in\/same\.png: same_mask_0?1\.png and .* have the same number$/),
    },
  ]);
  expect(withoutMask).toEqual(["lonely.png"]);
  expect(readdirSync(work.path("out")).sort()).toEqual(["one.png", "two.png"]);
  expect(work.read("out/two.png")).toEqual(work.read("both.png"));

  await work.refused(
    ["harmonize", "in", "--mask", "cat.png", "-o", "new", ...weights],
    /in is a folder: its masks are/,
  );
});
