/** The folder of composites: the same bytes however it comes about, whole lines whatever happens, and no foreign folder touched. */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openDataset } from "../src/data/open_dataset.node.js";
import { openCompositePool } from "../src/data/synth/composite_pool.node.js";
import { makeComposites } from "../src/data/synth/make_composites.node.js";
import { type Entry, type MadeEntry, parseManifest } from "../src/data/synth/manifest.js";
import { openSources } from "../src/data/synth/open_sources.node.js";
import { headerOf, type Making, OutputFolder } from "../src/data/synth/output_folder.node.js";
import { InputError, UsageError } from "../src/errors.js";
import { decodeImage } from "../src/image/codec.node.js";
import type { FileSystem } from "../src/io/file_system.node.js";
import { packageFile } from "../src/package.node.js";
import { type Call, failingFs } from "./helpers/failing_fs.js";
import { contentsOf, disc, writePhotographs, writePicture } from "./helpers/photographs.js";

const root = mkdtempSync(join(tmpdir(), "s2am-output-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const SCRIPT = pathToFileURL(packageFile("dist", "loader_worker.js"));
const COUNT = 8;
let making: Making;
let out: string;
let unbroken: Record<string, string>;
let numbered = 0;

beforeAll(async () => {
  await writePhotographs(join(root, "photos"), 5);
  await writePicture(join(root, "cutouts", "disc.png"), disc());
  const sources = { photos: join(root, "photos"), cutouts: join(root, "cutouts"), size: 32, valShare: 0.3 };
  const { spec } = await openSources(sources);
  making = { spec, seed: 4, valShare: 0.25, part: null, roots: [sources.photos, sources.cutouts] };
  out = join(root, "unbroken");
  await make();
  unbroken = contentsOf(out);
});
beforeEach(() => {
  out = join(root, `out${numbered++}`);
});

interface Given {
  readonly count?: number;
  readonly threads?: number;
  readonly fs?: FileSystem;
  readonly change?: Partial<Making>;
  readonly stopAfter?: number;
}

async function make({ count = COUNT, threads = 0, fs, change, stopAfter }: Given = {}): Promise<readonly Entry[]> {
  const made = { ...making, ...change };
  const { folder, entries } = await OutputFolder.open(out, headerOf(made), fs);
  const pool = openCompositePool({ ...made, out, threads, script: SCRIPT, fs });
  const stop = new AbortController();
  const onProgress = (done: number): void => {
    if (done === stopAfter) stop.abort();
  };
  try {
    return await makeComposites({ ...made, count, folder, entries, pool, onProgress, signal: stop.signal });
  } finally {
    await pool.close();
    await folder.close();
  }
}

const manifest = () => parseManifest(readFileSync(join(out, "manifest.jsonl")), "manifest");

describe("composites", () => {
  test("lie in the authors' layout, with other photographs to validate on", async () => {
    const dataset = await openDataset(join(root, "unbroken"));
    expect(dataset).toMatchObject({ layout: "s-coco", valFrom: "layout" });
    expect([dataset.train.length, dataset.val.length]).toEqual([6, 2]);
    const { entries } = parseManifest(readFileSync(join(root, "unbroken", "manifest.jsonl")), "") ?? { entries: [] };
    const sources = (split: string): string[] =>
      entries.filter((entry) => entry.split === split).map((entry) => (entry as MadeEntry).source);
    expect(sources("train").filter((source) => sources("val").includes(source))).toEqual([]);
    for (const { composite, mask, target } of dataset.entries) {
      const [image, area, natural] = await Promise.all([composite, mask, target].map((path) => decodeImage(path)));
      expect([image?.channels, area?.channels, natural?.channels]).toEqual([3, 1, 3]);
      let changed = 0;
      area?.data.forEach((value, i) => {
        for (let c = 0; c < 3; c++) {
          const apart = Math.abs((image?.data[3 * i + c] ?? 0) - (natural?.data[3 * i + c] ?? 0));
          if (value === 0) expect(apart).toBe(0);
          else changed += apart;
        }
      });
      expect(changed).toBeGreaterThan(0);
    }
  });

  test("are the same whatever the number of threads, and others of another seed", async () => {
    await make({ threads: 2 });
    expect(contentsOf(out)).toEqual(unbroken);
    out = `${out}-seed`;
    await make({ change: { seed: 5 }, count: 2 });
    expect(Object.values(contentsOf(out)).some((bytes) => Object.values(unbroken).includes(bytes))).toBe(false);
  });

  test("know what they were made of", () => {
    const lines = Buffer.from(unbroken["/manifest.jsonl"] ?? "", "base64")
      .toString()
      .trim()
      .split("\n");
    const [header, ...entries] = lines.map((line) => JSON.parse(line));
    expect(header).toMatchObject({
      format: "s2am synth 1",
      kind: "photos",
      seed: 4,
      size: 32,
      subjects: 5,
      cutouts: 1,
    });
    expect(entries.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    for (const { name, source, mask, transform, parameters, share, rmse } of entries) {
      expect(name).toMatch(/^\d{6}_p\d\.png$/);
      expect(source).toMatch(/^p\d\.jpg$/);
      expect(["region", "shape", "disc.png"]).toContain(mask);
      if (transform !== "adjustments") expect(parameters.reference).toMatch(/^p\d\.jpg$/);
      expect(parameters.window).toMatchObject({ x: expect.any(Number), flipped: expect.any(Boolean) });
      expect(share).toBeGreaterThan(0.019);
      expect(rmse).toBeGreaterThanOrEqual(5);
    }
  });
});

describe("a run that was stopped", () => {
  test.each([0, 1, 5])("after %i composites goes on to the same bytes", async (stopAfter) => {
    const before = await make({ stopAfter });
    expect(before.length).toBeGreaterThanOrEqual(stopAfter);
    expect(manifest()?.entries).toEqual(before);
    await make({ threads: stopAfter === 5 ? 1 : 0 });
    expect(contentsOf(out)).toEqual(unbroken);
  });

  test("is gone on with when more are asked for", async () => {
    await make({ count: 3 });
    await make();
    expect(contentsOf(out)).toEqual(unbroken);
  });

  test.each<[string, (path: string) => void]>([
    ["a line that is cut off", (path) => truncateSync(path, readFileSync(path).length - 30)],
    ["a first line that is cut off", (path) => truncateSync(path, 20)],
    ["lines that follow on nothing", (path) => appendFileSync(path, '{"index":77}\n{"index":')],
    ["pictures that are gone", () => rmSync(join(out, "train2017", "mask"), { recursive: true })],
    ["an empty picture", () => writeFileSync(join(out, "train2017", "image", manifestName(2)), "")],
    ["a picture that was being written", () => writeFileSync(join(out, "val2017", "natural", ".x.png.tmp"), "half")],
  ])("and left %s is mended", async (_, spoil) => {
    await make({ count: 5 });
    spoil(join(out, "manifest.jsonl"));
    await make();
    expect(contentsOf(out)).toEqual(unbroken);
  });

  const manifestName = (index: number): string => {
    const entry = manifest()?.entries[index];
    return entry && "name" in entry ? entry.name : "";
  };
});

describe("a disk that fails", () => {
  // Seven folders are made; the manifest is opened first, then three pictures a composite.
  test.each<[Call, number, string, string]>([
    ["mkdir", 1, "EACCES", "permission"],
    ["mkdir", 4, "ENOSPC", "folder"],
    ["open", 1, "EROFS", "manifest"],
    ["write", 1, "ENOSPC", "header"],
    ["write", 3, "ENOSPC", "mask"],
    ["write", 9, "ENOSPC", "line"],
    ["write", 14, "stuck", "picture"],
    ["open", 6, "EMFILE", "picture"],
    ["rename", 8, "EIO", "picture"],
    ["close", 5, "ENOSPC", "picture"],
  ])("at %s %i (%s): a valid manifest, and the rest when there is room", async (call, nth, fault) => {
    const failing = failingFs({ call, nth, fault });
    const failed = make({ fs: failing.fs });
    await expect(failed).rejects.toThrow(InputError);
    await expect(failed).rejects.toThrow(/cannot be written \(/);
    expect(failing.calls[call]).toBeGreaterThanOrEqual(nth);
    const bytes = call === "mkdir" || (call === "open" && nth === 1) ? null : readFileSync(join(out, "manifest.jsonl"));
    if (bytes) expect(parseManifest(bytes, "")?.length ?? 0).toBe(bytes.length);
    const names = Object.keys(nth === 1 && call === "mkdir" ? {} : contentsOf(out));
    expect(names.filter((name) => name.endsWith(".tmp"))).toEqual([]);
    await make();
    expect(contentsOf(out)).toEqual(unbroken);
  });

  test("a write that takes half is gone on with", async () => {
    await make({ fs: failingFs({ call: "write", nth: 6, fault: "short" }).fs });
    expect(contentsOf(out)).toEqual(unbroken);
  });
});

describe("a folder", () => {
  test("of composites that were made otherwise is left alone", async () => {
    await make({ count: 2 });
    const before = contentsOf(out);
    for (const [change, message] of [
      [{ seed: 9 }, /made with seed 4, not 9: name another folder/],
      [{ valShare: 0.5 }, /made with valShare 0.25, not 0.5/],
      [{ spec: { ...making.spec, size: 48 } }, /made with size 32, not 48/],
      [{ spec: { ...making.spec, subjects: making.spec.subjects.slice(1) } }, /made with subjects 5, not 4/],
      [{ spec: { ...making.spec, cutouts: ["other.png"] } }, /made with sources/],
    ] as const) {
      await expect(make({ change })).rejects.toThrow(message);
      await expect(make({ change })).rejects.toThrow(UsageError);
    }
    expect(contentsOf(out)).toEqual(before);
  });

  test("of anything else is left alone", async () => {
    mkdirSync(out);
    writeFileSync(join(out, "thesis.txt"), "mine");
    await expect(make()).rejects.toThrow(/holds thesis\.txt and no manifest\.jsonl; name an empty folder/);
    expect(Object.keys(contentsOf(out))).toEqual(["/thesis.txt"]);
    writeFileSync(join(out, "manifest.jsonl"), '{"some":"other"}\n');
    await expect(make()).rejects.toThrow(/is not the manifest of s2am synth/);
  });
});

describe("pictures that cannot be used", () => {
  test("are named in the manifest, and others take their places", async () => {
    const folder = join(root, "spoiled");
    await writePhotographs(folder, 4);
    const path = join(folder, "p1.jpg");
    truncateSync(path, readFileSync(path).length >> 1);
    const { spec } = await openSources({ photos: folder, size: 32, valShare: 0 });
    const entries = await make({ change: { spec, roots: [folder], valShare: 0 } });
    expect(entries).toHaveLength(COUNT);
    expect(entries.flatMap((entry) => ("skipped" in entry ? [entry] : []))).toEqual([]);
    const unusable = new Set(entries.flatMap((entry) => entry.unusable ?? []));
    expect([...unusable]).toEqual([expect.stringMatching(/^p1\.jpg: damaged or unreadable picture/)]);
    expect(entries.every((entry) => (entry as MadeEntry).source !== "p1.jpg")).toBe(true);
  });

  test("all of them, are an error that names one", async () => {
    const folder = join(root, "hopeless");
    mkdirSync(folder);
    for (const name of ["a.jpg", "b.png"]) writeFileSync(join(folder, name), "no picture at all");
    const { spec } = await openSources({ photos: folder, size: 32, valShare: 0 });
    const making = make({ change: { spec, roots: [folder], valShare: 0 }, count: 3 });
    await expect(making).rejects.toThrow(/^no composite is good enough, of many: [ab]\.(jpg|png): damaged/);
    await expect(making).rejects.toThrow(InputError);
  });
});
