/** Where composites come from: COCO's files, pairs, cut-outs; and what is left out of them, counted and named. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readJsonArrays } from "../src/data/synth/json_arrays.node.js";
import { openSources, type SourceOptions } from "../src/data/synth/open_sources.node.js";
import { Synthesizer } from "../src/data/synth/synthesizer.node.js";
import { InputError, UsageError } from "../src/errors.js";
import { decodeReduced } from "../src/image/sharp.node.js";
import { cocoAnnotations, disc, photograph, writePhotographs, writePicture } from "./helpers/photographs.js";
import { proPhotoProfile, tiffOf, toProPhoto } from "./helpers/prophoto.js";

const root = mkdtempSync(join(tmpdir(), "s2am-sources-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const path = (...parts: string[]): string => join(root, ...parts);
const write = (name: string, text: string): string => {
  writeFileSync(path(name), text);
  return path(name);
};

beforeAll(async () => {
  await writePhotographs(path("photos"), 4);
  await writePicture(path("cutouts", "disc.png"), disc());
  await writePicture(path("cutouts", "opaque.png"), photograph(9));
});

const open = (options: Partial<SourceOptions>) => openSources({ size: 32, ...options });

describe("arrays of a JSON file", () => {
  const read = async (text: string): Promise<[string, unknown][]> => {
    const found: [string, unknown][] = [];
    await readJsonArrays(write("arrays.json", text), (key, element) => found.push([key, element]));
    return found;
  };

  test("come element by element, whatever stands in texts and between", async () => {
    const value = { n: 1, a: [{ x: '],}{\\" [' }, [1, [2]], 3, ","], o: { p: [1, 2] }, 'k"[': [null], e: [], b: true };
    const expected = [...value.a.map((one) => ["a", one]), ['k"[', null]];
    expect(await read(JSON.stringify(value))).toEqual(expected);
    expect(await read(` \n${JSON.stringify(value, null, 3)}\n `)).toEqual(expected);
  });

  test.each(["", "[1]", "{", '{"a":[1,', '{"a":[1 2]}', '{"a":[{"b":tru}]}', '{"a":[]} {}', "not json"])(
    "%j is refused",
    async (text) => {
      await expect(read(text)).rejects.toThrow(InputError);
      await expect(read(text)).rejects.toThrow(/arrays\.json: is not JSON with COCO's arrays/);
    },
  );
});

describe("COCO", () => {
  const coco = (change: (annotations: ReturnType<typeof cocoAnnotations>) => unknown = (same) => same) =>
    open({
      cocoImages: path("photos"),
      cocoAnnotations: write("instances.json", JSON.stringify(change(cocoAnnotations()))),
    });

  test("gives the large objects; the rest is counted by what is the matter", async () => {
    const { spec, leftOut, complaints, photographs } = await coco();
    expect(spec.subjects.map(({ name }) => name)).toEqual(["p0.jpg 11", "p1.jpg 12", "p1.jpg 13"]);
    expect(spec).toMatchObject({ kind: "coco", masks: [], crop: false, leastShare: 0.15 });
    expect(photographs).toBe(2);
    expect(leftOut).toEqual({
      crowds: 1,
      "masks too small": 3,
      "masks too large": 1,
      "damaged annotations": 3,
      "annotations of missing photographs": 1,
    });
    expect(complaints).toEqual([`${path("photos")}: lacks the photographs of 1 of 12 annotations`]);
  });

  test("objects of one photograph are of one part", async () => {
    const { spec } = await coco();
    const [, second, third] = spec.subjects;
    expect(second?.split).toBe(third?.split);
    expect(new Set(spec.subjects.map(({ split }) => split))).toEqual(new Set(["train", "val"]));
  });

  test("annotations may come before the images", async () => {
    const { spec } = await coco(({ annotations, images }) => ({ annotations, images }));
    expect(spec.subjects).toHaveLength(3);
  });

  test("the mask is the annotation's, and outside it nothing changes", async () => {
    const { spec } = await coco();
    const { made, last } = await new Synthesizer({ ...spec, size: 64 }, 0).make(spec.subjects[0] as never, 1);
    expect((made ?? last).description.maskSource).toBe("annotation 11");
    const { natural, composite, mask } = made ?? last;
    // The box from 10 to 60 of 72 columns, on 64.
    const row = [...mask.subarray(30 * 64, 31 * 64)];
    expect([row[7], row[11], row[50], row[56]]).toEqual([0, 255, 255, 0]);
    for (let i = 0; i < mask.length; i++)
      if (mask[i] === 0) expect(composite.slice(3 * i, 3 * i + 3)).toEqual(natural.slice(3 * i, 3 * i + 3));
    expect(composite).not.toEqual(natural);
  });

  test.each<[string, (all: ReturnType<typeof cocoAnnotations>) => unknown, RegExp]>([
    ["no annotations", (all) => ({ ...all, annotations: [] }), /holds 3 images and 0 annotations/],
    [
      "no photographs",
      (all) => ({ ...all, images: [{ id: 1, file_name: "x.jpg", width: 72, height: 64 }] }),
      /none of its 12 annotations can be used: .*missing photographs/,
    ],
    [
      "an image without a size",
      (all) => ({ ...all, images: [{ id: 1, file_name: "p0.jpg" }] }),
      /an image without id, file_name, width and height/,
    ],
  ])("with %s is refused", async (_, change, message) => {
    await expect(coco(change)).rejects.toThrow(message);
    await expect(coco(change)).rejects.toThrow(InputError);
  });

  test("whose photograph is of another size than it says is refused when it is its turn", async () => {
    const { spec } = await coco((all) => ({
      ...all,
      images: [{ id: 1, file_name: "p0.jpg", width: 64, height: 72 }],
      annotations: [{ id: 5, image_id: 1, iscrowd: 0, segmentation: [[5, 5, 60, 5, 60, 60, 5, 60]] }],
    }));
    await expect(new Synthesizer(spec, 0).make(spec.subjects[0] as never, 1)).rejects.toThrow(
      /p0\.jpg 5: the photograph is 72 x 64, its annotation's 64 x 72/,
    );
  });
});

describe("photographs and cut-outs", () => {
  test("a cut-out without alpha is left out and named", async () => {
    const { spec, leftOut, complaints } = await open({ photos: path("photos"), cutouts: path("cutouts") });
    expect(spec.cutouts).toEqual([path("cutouts", "disc.png")]);
    expect(spec.masks).toEqual(["cutouts", "regions", "shapes"]);
    expect(leftOut).toEqual({ "cut-outs without alpha": 1 });
    expect(complaints).toEqual([`${path("cutouts", "opaque.png")}: has no alpha channel`]);
  });

  test("folders train and val decide, else a share by name, the same however many there are", async () => {
    await writePhotographs(path("split", "train"), 2);
    await writePicture(path("split", "val", "q.jpg"), photograph(7));
    const { spec } = await open({ photos: path("split") });
    expect(spec.subjects.map(({ name, split }) => [name, split])).toEqual([
      ["train/p0.jpg", "train"],
      ["train/p1.jpg", "train"],
      ["val/q.jpg", "val"],
    ]);
    const val = async (options: Partial<SourceOptions>): Promise<string[]> =>
      (await open({ photos: path("photos"), ...options })).spec.subjects
        .filter(({ split }) => split === "val")
        .map(({ name }) => name);
    expect(await val({})).toHaveLength(1);
    expect(await val({ valShare: 0 })).toHaveLength(0);
    expect(await val({ part: "val" })).toHaveLength(4);
  });

  test.each<[string, Partial<SourceOptions>, RegExp, typeof InputError | typeof UsageError]>([
    ["no source", {}, /name one source/, UsageError],
    ["two sources", { photos: "a", pairs: "b" }, /name one source/, UsageError],
    ["COCO without annotations", { cocoImages: "a" }, /go together/, UsageError],
    [
      "COCO with cut-outs",
      { cocoImages: "a", cocoAnnotations: "b", cutouts: "c" },
      /masks come from its annotations/,
      UsageError,
    ],
    [
      "masks of cut-outs that are not there",
      { photos: path("photos"), masks: ["cutouts"] },
      /need a folder of them/,
      UsageError,
    ],
    ["shares that leave nothing", { photos: path("photos"), leastShare: 0.7 }, /from 0.7 to 0.6/, UsageError],
    ["no such folder", { photos: path("nowhere") }, /nowhere: cannot be opened/, InputError],
    ["a folder without photographs", { photos: root, part: "train" }, /./, InputError],
    [
      "cut-outs without any alpha",
      { photos: path("photos"), cutouts: path("photos") },
      /holds no cut-outs/,
      InputError,
    ],
    ["pairs without renditions", { pairs: path("photos") }, /no photograph has two renditions/, InputError],
  ])("%s", async (name, options, message, type) => {
    if (name === "a folder without photographs") options = { photos: path("cutouts", "..", "none") };
    await expect(open(options)).rejects.toThrow(message);
    await expect(open(options)).rejects.toThrow(type);
  });
});

describe("pairs", () => {
  beforeAll(async () => {
    const bright = photograph(5, 96, 64);
    await writePicture(path("pairs", "a", "x.jpg"), { ...bright, data: bright.data.map((value) => value * 0.6) });
    await writePicture(path("pairs", "a", "alone.png"), bright);
    // The other rendition is a TIFF of 16 bits in ProPhoto RGB, as FiveK's are.
    mkdirSync(path("pairs", "b"), { recursive: true });
    writeFileSync(path("pairs", "b", "x.tif"), tiffOf(toProPhoto(bright.data), 96, 64, proPhotoProfile()));
  });

  test("16 bits of ProPhoto come as sRGB", async () => {
    const stored = await sharp(path("pairs", "b", "x.tif")).metadata();
    expect(stored).toMatchObject({ depth: "ushort", space: "rgb16", hasProfile: true });
    const { image } = await decodeReduced(path("pairs", "b", "x.tif"), { shortest: 1000, maxPixels: 1e6 });
    const bright = photograph(5, 96, 64);
    const apart = (data: ArrayLike<number>): number =>
      Math.max(...Array.from(bright.data, (value, i) => Math.abs(value - (data[i] ?? 0))));
    expect(apart(image.data)).toBeLessThanOrEqual(2);
    const raw = await sharp(path("pairs", "b", "x.tif"), { ignoreIcc: true })
      .raw({ depth: "uchar" })
      .toBuffer();
    expect(apart(raw)).toBeGreaterThan(15);
  });

  test("the region is the other rendition's", async () => {
    const { spec, leftOut } = await open({ pairs: path("pairs"), masks: ["shapes"] });
    expect(spec.subjects.map(({ name, files }) => [name, files.length])).toEqual([["x", 2]]);
    expect(leftOut).toEqual({ "photographs of one rendition": 1 });
    const { made } = await new Synthesizer(spec, 1 << 20).make(spec.subjects[0] as never, 2);
    expect(made?.description.recipe).toHaveProperty("rendition");
    const { natural, composite, mask } = made as NonNullable<typeof made>;
    const factor = mask.indexOf(255);
    const ratio = (composite[3 * factor] ?? 0) / (natural[3 * factor] ?? 1);
    expect(Math.min(ratio, 1 / ratio)).toBeCloseTo(0.6, 1);
  });
});

test("composites of the style varied may be untouched, and say of what kind they are", async () => {
  const { spec } = await open({ photos: path("photos"), cutouts: path("cutouts"), style: "varied", size: 64 });
  const synthesizer = new Synthesizer(spec, 1 << 24);
  let untouched = 0;
  for (let seed = 0; seed < 60; seed++) {
    const { made } = await synthesizer.make(spec.subjects[seed % spec.subjects.length] as never, seed);
    if (!made) continue;
    const { natural, composite, description } = made;
    const { recipe } = description;
    if (!("family" in recipe)) throw new Error("a recipe without a family");
    if (recipe.family !== "untouched") continue;
    untouched++;
    expect(composite).toEqual(natural);
    expect(description.measures.rmse).toBe(0);
  }
  expect(untouched).toBeGreaterThan(0);
});
