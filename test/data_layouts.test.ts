/** Layouts of training data: what is read from each, and how everything that is wrong with one is named. */
import { mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { basename } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Entry, splitByName } from "../src/data/dataset.js";
import { openDataset } from "../src/data/open_dataset.node.js";
import { checkEntries } from "../src/data/triple.node.js";
import { InputError, UsageError } from "../src/errors.js";
import { DataFolder, triple } from "./helpers/datasets.js";

const data = new DataFolder();
const names = (entries: readonly Entry[]): string[] => entries.map(({ name }) => name);

/** The message of the InputError that opening and checking a folder must end in. */
async function refusal(root: string): Promise<string> {
  const error = await openDataset(root)
    .then(({ entries }) => checkEntries(entries))
    .then(
      () => null,
      (thrown: unknown) => thrown,
    );
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).message;
}

describe("the flat layout", () => {
  test("is triples side by side, of any picture format, beside whatever else lies there", async () => {
    const root = await data.flat("flat", 3);
    renameSync(data.path("flat/x1.png"), data.path("flat/x1.JPG"));
    data.write("flat/README.md", "words");
    data.write("flat/.x9.png", "hidden");
    mkdirSync(data.path("flat/folder.png"));
    const dataset = await openDataset(root);
    expect(dataset).toMatchObject({ root, layout: "flat", valFrom: "train" });
    expect(names(dataset.entries)).toEqual(["x0.png", "x1.JPG", "x2.png"]);
    expect(dataset.entries[1]).toEqual({
      name: "x1.JPG",
      composite: data.path("flat/x1.JPG"),
      mask: data.path("flat/x1_mask.png"),
      target: data.path("flat/x1_real.png"),
    });
    expect([dataset.train, dataset.val]).toEqual([dataset.entries, dataset.entries]);
    await checkEntries(dataset.entries);
  });

  test.each([
    ["a missing mask", "x1_mask.png", /x1\.png: has no mask; expected .*x1_mask\.png$/],
    ["a missing photograph", "x2_real.png", /x2\.png: has no real photograph; expected .*x2_real\.jpg$/],
    ["a missing composite", "x0.png", /x0_mask\.png: belongs to no composite; expected .*x0\.jpg or \.png$/],
  ])("%s is named", async (_, file, message) => {
    const root = await data.flat("flat-missing", 3);
    rmSync(data.path("flat-missing", file));
    expect(await refusal(root)).toMatch(message);
  });

  test("two pictures of one name are one too many", async () => {
    const root = await data.flat("flat-twins", 2);
    await data.picture("flat-twins/x0.webp", triple(0).composite);
    expect(await refusal(root)).toMatch(/x0\.webp: x0\.png has the same name/);
  });
});

describe("the layout of S2AM's authors", () => {
  test("has a part to train and one to validate on", async () => {
    const dataset = await openDataset(await data.coco("coco", { train2017: 3, val2017: 2 }));
    expect(dataset).toMatchObject({ layout: "s-coco", valFrom: "layout" });
    expect(names(dataset.train)).toEqual([0, 1, 2].map((i) => `train2017/image/n${i}.jpg`));
    expect(names(dataset.val)).toEqual([0, 1].map((i) => `val2017/image/n${i}.jpg`));
    expect(dataset.entries).toHaveLength(5);
    expect(dataset.val[1]).toMatchObject({
      mask: data.path("coco/val2017/mask/n1.jpg"),
      target: data.path("coco/val2017/natural/n1.jpg"),
    });
    await checkEntries(dataset.entries);
  });

  test("may have one part alone, or be one itself", async () => {
    expect(await openDataset(await data.coco("coco-val", { val2017: 2 }))).toMatchObject({
      train: [],
      valFrom: "layout",
    });
    expect(await openDataset(await data.coco("coco-train", { train2017: 2 }))).toMatchObject({ valFrom: "train" });
    const bare = await openDataset(await data.coco("coco-bare", { "": 12 }));
    expect(bare).toMatchObject({ layout: "s-coco", valFrom: "split" });
    expect(bare.train.length + bare.val.length).toBe(12);
  });

  test("names what is missing", async () => {
    const root = await data.coco("coco-missing", { train2017: 3, val2017: 2 });
    rmSync(data.path("coco-missing/val2017/mask/n0.jpg"));
    expect(await refusal(root)).toMatch(/val2017\/image\/n0\.jpg: has no mask; expected .*val2017\/mask\/n0\.jpg$/);
    rmSync(data.path("coco-missing/train2017/natural/n2.jpg"));
    expect(await refusal(root)).toMatch(/train2017\/image\/n2\.jpg: has no real photograph/);
    rmSync(data.path("coco-missing/train2017/mask"), { recursive: true });
    expect(await refusal(root)).toMatch(/train2017\/mask: no such folder; expected image, mask, natural/);
  });
});

describe("iHarmony4", () => {
  const line = (name: string): string => `HCOCO/composite_images/${name}.jpg`;

  test("has lists of both parts, and composites that share masks and photographs", async () => {
    const root = await data.iharmony4("ihd", "HCOCO", 2, {
      "IHD_train.txt": [line("c1_7_2"), `${line("c1_8_1")}\r`, ""],
      "IHD_test.txt": [line("c0_7_1")],
    });
    const dataset = await openDataset(root);
    expect(dataset).toMatchObject({ layout: "iharmony4", valFrom: "layout" });
    expect(names(dataset.train)).toEqual([line("c1_7_2"), line("c1_8_1")]);
    expect(dataset.val).toEqual([
      {
        name: line("c0_7_1"),
        composite: data.path("ihd", line("c0_7_1")),
        mask: data.path("ihd/HCOCO/masks/c0_7.png"),
        target: data.path("ihd/HCOCO/real_images/c0.jpg"),
      },
    ]);
    await checkEntries(dataset.entries);
  });

  test("without lists is all it holds, and may be one subset", async () => {
    const root = await data.iharmony4("ihd-bare", "Hday2night", 3);
    const dataset = await openDataset(root);
    expect(dataset.entries).toHaveLength(12);
    const photographs = (entries: readonly Entry[]): Set<string> => new Set(entries.map(({ target }) => target));
    const [train, val] = [photographs(dataset.train), photographs(dataset.val)];
    expect([dataset.valFrom, [...train].filter((name) => val.has(name))]).toEqual(["split", []]);
    expect((await openDataset(data.path("ihd-bare/Hday2night"))).entries).toHaveLength(12);
  });

  test.each([
    ["../outside/composite_images/c0_7_1.jpg", /IHD_train\.txt: line 2 leads out of the folder: "\.\.\/outside/],
    ["HCOCO/../HCOCO/composite_images/c0_7_1.jpg", /line 2 leads out of the folder/],
    ["/etc/composite_images/c0_7_1.jpg", /line 2 leads out of the folder/],
    ["C:/composite_images/c0_7_1.jpg", /line 2 leads out of the folder/],
    ["\\\\host\\composite_images/c0_7_1.jpg", /line 2 leads out of the folder/],
    ["HCOCO/composite_images/c0_7_1\0.jpg", /line 2 leads out of the folder/],
    ["HCOCO//composite_images/c0_7_1.jpg", /line 2 leads out of the folder/],
    ["HCOCO/real_images/c0.jpg", /line 2: expected a path such as HCOCO\/composite_images\//],
    ["nonsense", /line 2: expected a path such as/],
    ["HCOCO/composite_images/c5_7_1.jpg", /line 2: .*c5_7_1\.jpg does not exist/],
    ["HNONE/composite_images/c0_7_1.jpg", /HNONE\/composite_images: no such folder/],
    ["HCOCO/composite_images/odd.jpg", /odd\.jpg: expected a name such as c108140_1698416_1\.jpg/],
  ])("the line %j is refused", async (bad, message) => {
    const root = await data.iharmony4("ihd-lines", "HCOCO", 1, { "IHD_train.txt": [line("c0_7_1"), bad] });
    await data.picture("ihd-lines/HCOCO/composite_images/odd.jpg", triple(0).composite);
    expect(await refusal(root)).toMatch(message);
  });

  test("names what is missing", async () => {
    const root = await data.iharmony4("ihd-missing", "HCOCO", 2);
    rmSync(data.path("ihd-missing/HCOCO/real_images/c1.jpg"));
    expect(await refusal(root)).toMatch(/c1_7_1\.jpg: has no real photograph; expected .*real_images\/c1\.jpg$/);
    rmSync(data.path("ihd-missing/HCOCO/masks/c0_8.png"));
    expect(await refusal(root)).toMatch(/c0_8_1\.jpg: has no mask; expected .*masks\/c0_8\.png$/);
  });
});

describe("any layout", () => {
  test("that is none is told what there is", async () => {
    mkdirSync(data.path("empty/folder"), { recursive: true });
    const message = await refusal(data.path("empty"));
    expect(message).toMatch(/^.*empty: holds no pictures to train on; expected one of\n/);
    for (const word of ["train,val}2017", "IHD_train.txt", "x_mask.png"]) expect(message).toContain(word);
    expect(await refusal(data.path("nowhere"))).toMatch(/nowhere: cannot be opened \(no such file or directory\)/);
    data.write("file", "text");
    expect(await refusal(data.path("file"))).toMatch(/file: is not a folder/);
    await expect(openDataset(data.path("empty"), { valShare: 0.7 })).rejects.toThrow(UsageError);
  });

  test("may be reached by a link, and hold links, but none that lead out of it", async () => {
    const root = await data.flat("links", 3);
    symlinkSync(root, data.path("link-to-root"));
    rmSync(data.path("links/x1_mask.png"));
    symlinkSync("x0_mask.png", data.path("links/x1_mask.png"));
    await checkEntries((await openDataset(data.path("link-to-root"))).entries);

    await data.picture("secret.png", triple(0).target);
    rmSync(data.path("links/x2_real.png"));
    symlinkSync(data.path("secret.png"), data.path("links/x2_real.png"));
    expect(await refusal(root)).toMatch(/x2_real\.png: is a link that leads out of .*links, to .*secret\.png/);
    rmSync(data.path("links/x2_real.png"));
    symlinkSync("nothing", data.path("links/x2_real.png"));
    expect(await refusal(root)).toMatch(/x2_real\.png: is a link that leads nowhere/);
    rmSync(data.path("links/x2_real.png"));
    symlinkSync(".", data.path("links/x2_real.png"));
    expect(await refusal(root)).toMatch(/x2_real\.png: is not a regular file/);
  });

  test("does not follow links to folders elsewhere", async () => {
    await data.coco("elsewhere", { train2017: 1 });
    mkdirSync(data.path("coco-link"));
    symlinkSync(data.path("elsewhere/train2017"), data.path("coco-link/train2017"));
    expect(await refusal(data.path("coco-link"))).toMatch(/train2017\/image: is a link that leads out of/);
    await data.iharmony4("ihd-link", "HCOCO", 1);
    rmSync(data.path("ihd-link/HCOCO/masks"), { recursive: true });
    symlinkSync(data.path("ihd/HCOCO/masks"), data.path("ihd-link/HCOCO/masks"));
    expect(await refusal(data.path("ihd-link"))).toMatch(/HCOCO\/masks: is a link that leads out of/);
  });

  test.each([
    ["a mask of another size", "x7_mask.png", /x7_mask\.png is 20 x 20 pixels, its composite .*x7\.png 40 x 30/],
    ["a photograph of another size", "x7_real.png", /x7_real\.png is 20 x 20 pixels, its composite .*x7\.png 40 x 30/],
  ])("%s is named, the first one first", async (_, file, message) => {
    const root = await data.flat("sizes", 40);
    const small = triple(0, { width: 20, height: 20 });
    for (const other of ["x8_mask.png", "x9_real.png"]) await data.picture(`sizes/${other}`, small.mask);
    await data.picture(`sizes/${file}`, file.includes("mask") ? small.mask : small.target);
    expect(await refusal(root)).toMatch(message);
  });

  test.each([
    ["an empty file", "", /x1\.png: an empty file; expected a PNG, JPEG or WebP picture/],
    ["a text", "not a picture at all, only words", /x1\.png: not an image/],
    ["a GIF", "GIF89a...", /x1\.png: a GIF file/],
    ["the beginning of a PNG", "\x89PNG\r\n\x1a\n", /x1\.png: truncated PNG/],
    ["the beginning of a JPEG", "\xff\xd8\xff\xe0\0\x10JFIF", /x1\.png: damaged or unreadable picture/],
  ])("%s is named", async (_, contents, message) => {
    const root = await data.flat("unreadable", 3);
    data.write(
      "unreadable/x1.png",
      Uint8Array.from(contents, (char) => char.charCodeAt(0)),
    );
    expect(await refusal(root)).toMatch(message);
  });

  test("progress is told from nothing to all", async () => {
    const { entries } = await openDataset(await data.flat("progress", 40));
    const told: string[] = [];
    await checkEntries(entries, { onProgress: ({ done, total }) => told.push(`${done}/${total}`) });
    expect(told).toEqual(["0/40", "32/40", "40/40"]);
  });
});

describe("what is set aside to validate on", () => {
  const entry = (stem: string): Entry => ({
    name: stem,
    composite: stem,
    mask: stem,
    target: `/data/${stem}_real.jpg`,
  });
  const stems = fc.uniqueArray(fc.stringMatching(/^[a-z0-9]{1,8}$/), { minLength: 10, maxLength: 60 });

  test("is about the share, at least one, and the rest is trained on", () => {
    fc.assert(
      fc.property(stems, fc.double({ min: 0.01, max: 0.5, noNaN: true }), (all, share) => {
        const entries = all.map(entry);
        const { train, val, valFrom } = splitByName(entries, share);
        expect(valFrom).toBe("split");
        expect(val.length).toBeGreaterThan(0);
        expect([...train, ...val].map(({ name }) => name).sort()).toEqual([...all].sort());
      }),
    );
    const many = Array.from({ length: 5000 }, (_, i) => entry(`photo${i}`));
    expect(splitByName(many, 0.1).val.length / 5000).toBeCloseTo(0.1, 1);
  });

  test("stays aside when pictures are added, or the folder is moved", () => {
    fc.assert(
      fc.property(stems, stems, (some, more) => {
        const before = splitByName(some.map(entry), 0.25);
        const others = more.filter((stem) => !some.includes(stem));
        const moved = [...some, ...others]
          .map(entry)
          .map((one) => ({ ...one, target: `/moved/${basename(one.target)}` }));
        const after = new Set(names(splitByName(moved, 0.25).val));
        // The one picture that is set aside where no other would be may come back.
        expect(names(before.val).filter((name) => !after.has(name)).length).toBeLessThanOrEqual(1);
        if (before.val.length > 1) expect(names(before.train).filter((name) => after.has(name)).length).toBe(0);
      }),
    );
  });

  test("is what is trained on where there is little, or nothing was to be set aside", () => {
    const nine = Array.from({ length: 9 }, (_, i) => entry(`p${i}`));
    expect(splitByName(nine, 0.5)).toEqual({ train: nine, val: nine, valFrom: "train" });
    const ten = [...nine, entry("p9")];
    expect(splitByName(ten, 0)).toEqual({ train: ten, val: ten, valFrom: "train" });
    const one = ten.map((each) => ({ ...each, target: "/data/same.jpg" }));
    expect(splitByName(one, 0.5)).toEqual({ train: one, val: one, valFrom: "train" });
  });
});
