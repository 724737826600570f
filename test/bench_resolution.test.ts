/** The bench of working sizes: what it measures, what it makes of it, and one run through all of it. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { compose, findCases } from "../bench/quality/resolution/cases.js";
import { type Measured, measureCase } from "../bench/quality/resolution/measure.js";
import { apart, bandingOf, distanceOf, haloOf, zonesOf } from "../bench/quality/resolution/measures.js";
import { pageOf } from "../bench/quality/resolution/page.js";
import { stripOf } from "../bench/quality/resolution/strip.js";
import { markdownOf, type Report, summarize } from "../bench/quality/resolution/summary.js";
import { Draws } from "../src/data/synth/random_draws.js";
import { fromFloat, newFloatImage } from "../src/image/float.js";
import type { Image } from "../src/image/image.js";
import { type Mask, maskFromImage } from "../src/image/mask.js";
import { packageFile } from "../src/package.node.js";
import { mulberry32 } from "../src/random.js";
import { boxMask, tinyWeights, workspace } from "./helpers/command_line.js";
import { discMask, over, surface, transformed } from "./helpers/soft_composite.js";

const work = workspace();
const [W, H] = [256, 192];
const mask = maskFromImage(boxMask(W, H, [40, 40, 216, 152]));
const plain = (value: (x: number, y: number) => number): Image => {
  const data = new Uint8Array(3 * W * H);
  for (let i = 0; i < data.length; i++) data[i] = value(Math.floor(i / 3) % W, Math.floor(i / 3 / W));
  return { width: W, height: H, channels: 3, depth: 8, data };
};

describe("measures", () => {
  const zones = zonesOf(mask);

  test("the edge is what is soft, and a band inwards", () => {
    const counts = [0, 1, 2].map((zone) => zones.filter((value) => value === zone).length);
    // 176 x 112 pixels, without two from every side.
    expect(counts).toEqual([W * H - 176 * 112, 176 * 112 - 172 * 108, 172 * 108]);
    const soft: Mask = { ...newFloatImage(W, H, 1), data: mask.data.map((m) => 0.5 * m) };
    expect(zonesOf(soft).every((zone) => zone < 2)).toBe(true);
  });

  test("an error on the edge alone is a halo; one all over is none; equal pictures have a finite PSNR", () => {
    const real = plain((x) => x);
    const rim: Image = { ...real, data: real.data.map((v, i) => (zones[Math.floor(i / 3)] === 1 ? v + 4 : v)) };
    expect(haloOf(rim, real, zones)).toEqual({ edge: 4, inside: 0, ratio: 8 });
    const shifted: Image = { ...real, data: real.data.map((v, i) => (zones[Math.floor(i / 3)] === 0 ? v : v ^ 3)) };
    expect(haloOf(shifted, real, zones).ratio).toBeCloseTo(1, 1);
    expect(distanceOf(real, real, mask)).toEqual({ psnr: 100, fpsnr: 100, fmse: 0 });
    expect(distanceOf(rim, real, mask).fmse).toBeCloseTo((16 * (176 * 112 - 172 * 108)) / (176 * 112), 10);
  });

  test("a gradient of few levels has long flat runs, and steps apart from a smooth one's", () => {
    const real = plain((x) => x);
    const smooth = bandingOf(real, real, zones);
    expect(smooth).toMatchObject({ levels: 172, flatRun: 1 });
    expect(smooth.steps[9]).toBe(1);
    const banded = bandingOf(
      plain((x) => x - (x % 8)),
      real,
      zones,
    );
    expect(banded.levels).toBe(22);
    expect(banded.flatRun).toBeGreaterThan(7);
    expect(apart(banded.steps, smooth.steps)).toBe(1);
    expect(apart(smooth.steps, smooth.steps)).toBe(0);
  });
});

describe("cases", () => {
  test("a composite differs from its photograph inside the mask alone, and the seed decides", () => {
    const photograph = fromFloat(surface(W, H, [0.5, 0.45, 0.4], 0.4, 3));
    const made = [7, 7, 8].map((seed) => {
      const draws = new Draws(mulberry32(seed));
      for (;;) {
        const composed = compose(photograph, draws);
        if (composed) return composed;
      }
    });
    const [first] = made;
    expect(made[1]).toEqual(first);
    expect(made[2]).not.toEqual(first);
    first?.composite.data.forEach((value, i) => {
      if (first.mask.data[Math.floor(i / 3)] === 0) expect(value).toBe(photograph.data[i]);
    });
    expect(first?.composite.data).not.toEqual(photograph.data);
  });

  test("a folder without pictures of the right size is refused", async () => {
    mkdirSync(work.path("tiny_pictures"));
    await work.picture(
      "tiny_pictures/a.png",
      plain((x) => x),
    );
    const refused = (folder: string) => findCases(work.path(folder), 3, 1, work.folder);
    await expect(refused("tiny_pictures")).rejects.toThrow(
      /nothing to measure on; expected photographs of 2 to 16 mega/,
    );
    await expect(refused("nowhere")).rejects.toThrow(/nowhere: cannot be read \(no such file/);
  });
});

describe("a run of the bench", () => {
  const script = packageFile("bench", "quality", "resolution", "run.mjs");
  const child = packageFile("node_modules", ".cache", "s2am-resolution", "child.mjs");
  let measured: Measured;

  beforeAll(async () => {
    expect(execFileSync(process.execPath, [script, "--help"], { encoding: "utf8" })).toContain("--sizes <pixels>");
    const soft = discMask(W, H, "smooth over a pixel");
    const [object, ground] = [surface(W, H, [0.4, 0.5, 0.6], 0.3, 1), surface(W, H, [0.6, 0.5, 0.4], 0.3, 2)];
    await work.picture("real.png", fromFloat(over(object, ground, soft)));
    await work.picture(
      "composite.png",
      fromFloat(
        over(
          transformed(object, ([r, g, b]) => [0.6 * r, g, b]),
          ground,
          soft,
        ),
      ),
    );
    await work.picture("mask.png", fromFloat(soft));
    work.write("tiny.safetensors", tinyWeights());
    const file = (name: string): string => work.path(`${name}.png`);
    const one = { name: "disc", composite: file("composite"), mask: file("mask"), real: file("real") };
    measured = await measureCase(one, {
      sizes: [32, 64, 512],
      weights: work.path("tiny.safetensors"),
      adapter: process.env.S2AM_ADAPTER || "bundled",
      child,
      folder: work.folder,
      note: () => undefined,
    });
  });

  test("every size smaller than the picture, and its own, in processes of their own", () => {
    expect(measured.failures).toEqual([]);
    expect(measured.rows.map(({ size }) => size)).toEqual(["largest", 32, 64]);
    expect(measured.rows.map(({ workedAt }) => workedAt.width)).toEqual([W, 32, 64]);
    for (const row of measured.rows) {
      expect(row.endToEndMs).toBeGreaterThan(row.modelMs);
      expect(row.peakRssBytes).toBeGreaterThan(row.peakBufferBytes);
      expect(row.peakBufferBytes).toBeGreaterThan(1e5);
    }
    const [whole, small, middle] = measured.rows.map(({ upsampling }) => upsampling.fpsnr);
    // Nothing is lost at the picture's own size but a rounding; less the larger the working size.
    expect(whole).toBeGreaterThan(45);
    expect(middle).toBeGreaterThan(small as number);
    expect(measured.rows.map(({ largest }) => largest === null)).toEqual([true, false, false]);
  });

  test("means, a table, a page without anything to fetch, and a strip", () => {
    const summary = summarize(measured.rows, [32, 64, 512, "largest"]);
    expect(summary.map(({ size, pictures }) => [size, pictures])).toEqual([
      [32, 1],
      [64, 1],
      ["largest", 1],
    ]);
    const failures = [{ name: "disc", size: "largest" as const, pixels: 4096, failed: "too <large>" }];
    const { rows } = measured;
    const facts = { command: "c", date: "2026-01-01T00:00:00Z", versions: {}, adapter: "a <b>", weights: "w" };
    const report: Report = { ...facts, summary, rows, failures };
    const table = markdownOf(report)
      .split("\n")
      .filter((line) => line.startsWith("| "));
    expect(table.length).toBe(5);
    expect(new Set(table.map((line) => line.split("|").length)).size).toBe(1);
    expect(markdownOf(report)).toContain("Left out: disc at 4096: too <large>");
    const page = pageOf(report);
    expect(page.match(/<polyline/g)?.length).toBeGreaterThan(8);
    expect(page).toContain("a &lt;b&gt;");
    expect(page).not.toMatch(/NaN|undefined|https?:(?!\/\/www\.w3\.org)/);
    const strip = stripOf(measured.pictures, zonesOf(measured.pictures.mask));
    expect([strip.width, strip.height]).toEqual([6 * W + 5 * 4, 2 * H + 4]);
  });

  test.each([
    [["--photos", "nowhere"], /nowhere: cannot be read/],
    [["--photos", ".", "--output", "nowhere/r.json"], /nowhere: no such folder/],
    [["--photos", ".", "--sizes", "256,256"], /expected different whole numbers from 16/],
    [[], /required option '--photos <dir>'/],
  ])("%j is refused with code 2", (args, message) => {
    const { status, stderr } = spawnSync(process.execPath, [script, ...args], { cwd: work.folder, encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(message) });
    expect(existsSync(work.path("resolution.json"))).toBe(false);
  });
});
