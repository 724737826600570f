/** `s2am synth` and `s2am train --synth` as child processes. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { Loader, type SynthSource } from "../src/data/loader.node.js";
import { openSources } from "../src/data/synth/open_sources.node.js";
import { CLI, workspace } from "./helpers/command_line.js";
import {
  cocoAnnotations,
  contentsOf,
  disc,
  photograph,
  writePhotographs,
  writePicture,
} from "./helpers/photographs.js";

const work = workspace();
const FROM = ["synth", "--photos", "photos", "--cutouts", "cutouts", "--size", "32", "--seed", "3"];

beforeAll(async () => {
  await writePhotographs(work.path("photos"), 5);
  await writePicture(work.path("cutouts/disc.png"), disc());
  await writePicture(work.path("cutouts/opaque.png"), photograph(8));
  work.write("instances.json", JSON.stringify(cocoAnnotations()));
});

describe("s2am synth", () => {
  test("tells what it made, and a sheet shows it", async () => {
    const result = await work.done([...FROM, "--count", "12", "--out", "whole", "--workers", "2"]);
    expect(result).toMatchObject({
      outcome: "done",
      photographs: 5,
      subjects: 5,
      cutouts: 1,
      asked: 12,
      composites: 12,
      already: 0,
      skipped: 0,
      leftOut: { "cut-outs without alpha": 1 },
      threads: 2,
      manifest: "whole/manifest.jsonl",
      contactSheet: "whole/contact_sheet.html",
    });
    expect(Number(result.train) + Number(result.val)).toBe(12);
    const html = Buffer.from(work.read("whole/contact_sheet.html")).toString();
    expect(html.match(/<img src="data:image\/jpeg;base64,/g)).toHaveLength(12);
    expect(html).not.toMatch(/(src|href)="(?!data:)/);
  });

  /** Ends the command once there are so many composites. */
  function stopped(args: readonly string[], out: string, signal: NodeJS.Signals, count: number): Promise<unknown> {
    const child = spawn(process.execPath, [CLI, ...args], { cwd: work.folder, stdio: "ignore" });
    const manifest = `${out}/manifest.jsonl`;
    const watch = setInterval(() => {
      if (work.exists(manifest) && Buffer.from(work.read(manifest)).toString().split("\n").length > count)
        child.kill(signal);
    }, 5);
    return new Promise((resolve) => {
      child.on("close", (code) => {
        clearInterval(watch);
        resolve(code);
      });
    });
  }

  test("stopped by SIGINT and SIGKILL goes on to the same bytes", async () => {
    const args = (out: string): string[] => [...FROM, "--out", out, "--count", "160", "--workers", "1"];
    await work.done(args("again"));
    const again = contentsOf(work.path("again"));
    expect(await stopped(args("stopped"), "stopped", "SIGINT", 8)).toBe(130);
    const lines = Buffer.from(work.read("stopped/manifest.jsonl")).toString().split("\n").length;
    expect(lines).toBeLessThan(80);
    expect(work.exists("stopped/contact_sheet.html")).toBe(false);
    expect(await stopped(args("stopped"), "stopped", "SIGKILL", 90)).toBeNull();
    expect(await work.done(args("stopped"))).toMatchObject({ composites: 160, already: expect.any(Number) });
    expect(contentsOf(work.path("stopped"))).toEqual(again);
  });

  test("makes COCO's composites of one part", async () => {
    const args = [
      "synth",
      "--coco-images",
      "photos",
      "--coco-annotations",
      "instances.json",
      "--size",
      "32",
      "--out",
      "coco",
    ];
    const train = await work.done([...args, "--part", "train"]);
    expect(train).toMatchObject({
      composites: 3,
      train: 3,
      val: 0,
      masks: { annotations: 3 },
      manifest: "coco/manifest.train.jsonl",
    });
    const val = await work.done([...args, "--part", "val", "--count", "2"]);
    expect(val).toMatchObject({
      composites: 2,
      train: 0,
      val: 2,
      leftOut: { crowds: 1, "annotations of missing photographs": 1 },
    });
  });

  test.each<[string, readonly string[], RegExp]>([
    ["no source", ["--out", "x"], /name one source/],
    ["no folder for the result", ["--photos", "photos"], /required option '--out <dir>'/],
    [
      "no such photographs",
      ["--photos", "nowhere", "--out", "x"],
      /nowhere: cannot be opened \(no such file or directory\)/,
    ],
    [
      "a mask of no kind",
      ["--photos", "photos", "--masks", "stars", "--out", "x"],
      /expected some of cutouts, regions, shapes/,
    ],
    ["a share beyond 1", ["--photos", "photos", "--val-share", "2", "--out", "x"], /expected a number from 0 to 1/],
    [
      "annotations that are none",
      ["--coco-images", "photos", "--coco-annotations", "photos/p0.jpg", "--out", "x"],
      /p0\.jpg: is not JSON/,
    ],
    [
      "a folder that holds something else",
      ["--photos", "photos", "--out", "cutouts"],
      /cutouts: holds disc\.png and no manifest/,
    ],
  ])("%s is refused", async (_, args, message) => {
    await work.refused(["synth", ...args], message);
  });
});

describe("composites made as a training goes", () => {
  const source = async (perEpoch = 6): Promise<SynthSource> => {
    const { spec } = await openSources({
      photos: work.path("photos"),
      cutouts: work.path("cutouts"),
      size: 32,
      valShare: 0.2,
    });
    return { spec, perEpoch, validation: 3 };
  };
  const take = async (synth: SynthSource, count: number, from = { epoch: 0, index: 0 }, threads = 0) => {
    const loader = new Loader({ train: [], synth, size: 32, batch: 2, seed: 1, threads });
    try {
      const batches = [];
      for await (const batch of loader.batches(from)) if (batches.push(batch) === count) break;
      return {
        batches,
        validation: await loader.validation.load(1),
        length: loader.validation.length,
        steps: loader.stepsPerEpoch,
      };
    } finally {
      await loader.close();
    }
  };
  const hash = (data: Float32Array): string => createHash("sha256").update(new Uint8Array(data.buffer)).digest("hex");

  test("are never the same twice, and the same on going on", async () => {
    const synth = await source();
    const whole = await take(synth, 9);
    expect(whole).toMatchObject({ length: 3, steps: 3 });
    expect(new Set(whole.batches.map(({ x }) => hash(x))).size).toBe(9);
    const at = whole.batches[4] ?? { epoch: 0, index: 0 };
    const rest = await take(synth, 5, { epoch: at.epoch, index: at.index });
    expect(rest.batches).toEqual(whole.batches.slice(4));
    expect(rest.validation).toEqual(whole.validation);
    const [batch] = whole.batches;
    for (let i = 0; batch && i < 2 * 32 * 32; i++)
      if (batch.x[4 * i + 3] === 0)
        expect(batch.x.slice(4 * i, 4 * i + 3)).toEqual(batch.target.slice(3 * i, 3 * i + 3));
  });

  test("are of every photograph to train on and of none that is set aside", async () => {
    const synth = await source(2);
    const { batches } = await take(synth, 8);
    const names = new Set(batches.flatMap((batch) => batch.names));
    const wanted = synth.spec.subjects.filter(({ split }) => split === "train").map(({ name }) => name);
    expect([...names].sort()).toEqual(wanted);
  });

  test("a photograph that cannot be read is left out", async () => {
    await writePhotographs(work.path("spoiled"), 4);
    truncateSync(work.path("spoiled/p2.jpg"), 900);
    const { spec } = await openSources({ photos: work.path("spoiled"), size: 32, valShare: 0 });
    const skipped: string[] = [];
    const loader = new Loader({
      train: [],
      synth: { spec, perEpoch: 8, validation: 0 },
      size: 32,
      batch: 8,
      seed: 1,
      onSkipped: ({ name }) => skipped.push(name),
    });
    const { value } = await loader.batches({ epoch: 0, index: 0 }).next();
    await loader.close();
    expect(skipped).toEqual(["p2.jpg"]);
    expect(value?.names).not.toContain("p2.jpg");
  });

  test("train a network that can be resumed to the same bits", async () => {
    const args = ["train", "--synth", "photos", "--synth-cutouts", "cutouts", "--synth-count", "4", "--val-count", "2"];
    const tiny = [
      "--arch",
      "unet",
      "--width",
      "2",
      "--size",
      "32",
      "--batch",
      "2",
      "--threads",
      "1",
      "--save-every",
      "1",
    ];
    await work.done([...args, ...tiny, "--steps", "4", "--out", "unbroken"]);
    await work.done([...args, ...tiny, "--steps", "3", "--out", "broken"]);
    await work.done(["train", "--resume", "broken", "--steps", "4"]);
    expect(work.read("broken/last.safetensors")).toEqual(work.read("unbroken/last.safetensors"));
  });

  test.each<[readonly string[], RegExp]>([
    [["--data", "a", "--synth", "photos"], /give --data or --synth, not both/],
    [["--data", "a", "--synth-cutouts", "cutouts"], /synthCutouts says how composites are made/],
    [[], /--data DIR, or photographs to make them of: --synth DIR/],
    [
      ["--synth", "photos", "--synth-annotations", "instances.json", "--synth-pairs"],
      /annotations are masks by themselves/,
    ],
    [["--synth", "nowhere"], /nowhere: cannot be opened/],
  ])("%j is refused", async (args, message) => {
    mkdirSync(work.path("a"), { recursive: true });
    writeFileSync(work.path("a/x.txt"), "");
    await work.refused(["train", ...args, "--steps", "1", "--out", "run"], message);
  });
});
