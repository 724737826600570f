/** COCO's masks, against rasters that pycocotools' own code made (scripts/make_coco_fixtures.py). */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { areaOf, rasterize, type Segmentation, unpackRuns } from "../src/data/synth/coco_mask.js";
import { InputError } from "../src/errors.js";

interface Case {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly segmentation: Segmentation;
  readonly area: number;
  /** Of the pixels, a byte each, row by row. */
  readonly sha256: string;
}

const cases: readonly Case[] = JSON.parse(
  readFileSync(new URL("./fixtures/coco/rasters.json", import.meta.url), "utf8"),
);

test("there are enough of each form", () => {
  const forms = cases.map(({ segmentation }) =>
    "counts" in segmentation ? typeof segmentation.counts : segmentation.length > 1 ? "parts" : "polygon",
  );
  const count = (form: string): number => forms.filter((one) => one === form).length;
  expect(cases.length).toBeGreaterThanOrEqual(50);
  for (const form of ["polygon", "parts", "object", "string"]) expect(count(form)).toBeGreaterThanOrEqual(10);
});

test.each(cases)("$name: the same pixels", ({ segmentation, width, height, area, sha256 }) => {
  const raster = rasterize(segmentation, width, height);
  expect(areaOf(raster)).toBe(area);
  expect(createHash("sha256").update(raster.data).digest("hex")).toBe(sha256);
});

test("packed runs are small numbers of either sign", () => {
  // 5, 3, 200 = 8 + 6 * 32, 0 more than 3, 100 less than 200: worked out by hand.
  expect(unpackRuns("53X60lL")).toEqual([5, 3, 200, 3, 100]);
  expect(unpackRuns("")).toEqual([]);
});

describe("what is no mask is refused", () => {
  test.each<[string, unknown, RegExp]>([
    ["no parts", [], /expected parts of a polygon/],
    ["a part of text", [["a", "b", "c", "d", "e", "f"]], /expected parts of a polygon/],
    ["a part of two numbers", [[1, 2]], /expected parts of a polygon/],
    ["not-a-number", [[1, 2, Number.NaN, 4, 5, 6]], /expected parts of a polygon/],
    ["runs of another picture", { size: [3, 5], counts: [15] }, /runs are of a picture of 3,5/],
    ["too few runs", { size: [4, 5], counts: [3, 4] }, /fill 7 of 20/],
    ["too many runs", { size: [4, 5], counts: [3, 40] }, /damaged \(run 1 of 40 pixels at 3 of 20\)/],
    ["a negative run", { size: [4, 5], counts: [-3, 23] }, /damaged/],
    ["half a run", { size: [4, 5], counts: [1.5, 18.5] }, /damaged/],
    ["packed runs cut off", { size: [4, 5], counts: "5o" }, /packed runs are damaged/],
    ["packed runs of other characters", { size: [4, 5], counts: "5\u00e9" }, /packed runs are damaged/],
    ["no counts", { size: [4, 5] }, /expected runs/],
  ])("%s", (_, segmentation, message) => {
    const make = (): unknown => rasterize(segmentation as Segmentation, 5, 4, "annotation 7");
    expect(make).toThrow(InputError);
    expect(make).toThrow(/^annotation 7: /);
    expect(make).toThrow(message);
  });
});
