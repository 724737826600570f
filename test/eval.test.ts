/** `s2am eval` through files as a user gives them: figures, tables, strips, and what it refuses. */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { changeOf, readChanges } from "../src/cli/eval_changes.js";
import { csvOf, type Measured, summarize, summaryLines } from "../src/cli/eval_summary.js";
import { maskFromImage } from "../src/image/mask.js";
import { MAX_PSNR, measure, type PictureMetrics, type ProtocolName, protocolOf } from "../src/image/protocols.js";
import { fromFloat32 } from "../src/io/tensor_data.js";
import { tinyWeights, workspace } from "./helpers/command_line.js";
import { DataFolder, triple } from "./helpers/datasets.js";

const work = workspace();
const data = new DataFolder();

beforeAll(async () => {
  work.write("tiny.safetensors", tinyWeights());
  await data.flat("flat", 5);
});

const evaluate = (root: string, ...args: readonly string[]) =>
  work.done(["eval", "--data", data.path(root), "--weights", "tiny.safetensors", ...args]);

/** What the untouched composites of `triple` measure, computed here. */
function baseline(name: ProtocolName, count: number): Record<keyof PictureMetrics, number> {
  const protocol = protocolOf(name);
  const all = Array.from({ length: count }, (_, i) => {
    const { composite, mask, target } = triple(i);
    return measure(protocol, protocol.picture(composite), protocol.picture(target), protocol.mask(maskFromImage(mask)));
  });
  const mean = (key: keyof PictureMetrics): number => all.reduce((sum, one) => sum + (one[key] ?? 0), 0) / count;
  const keys = Object.keys(all[0] ?? {}) as (keyof PictureMetrics)[];
  return Object.fromEntries(keys.map((key) => [key, expect.closeTo(mean(key), 9)])) as never;
}

const rowsOf = (csv: string): string[][] =>
  csv
    .trim()
    .split("\n")
    .map((row) => row.split(","));

describe("s2am eval", () => {
  test("measures every picture before and after, and writes a table and the worst cases", async () => {
    const result = await evaluate("flat", "--csv", "table.csv", "--worst", "worst.png");
    const metrics = { mse: expect.any(Number), psnr: expect.any(Number), fmse: expect.any(Number) };
    expect(result).toEqual({
      adapter: expect.any(String),
      data: data.path("flat"),
      layout: "flat",
      part: "all",
      protocol: "default",
      size: 256,
      pasted: true,
      fit: "auto",
      dtype: "f32",
      description: expect.stringContaining("256 x 256 bilinear"),
      pictures: 5,
      before: baseline("default", 5),
      after: { ...metrics, fpsnr: expect.any(Number), ssim: expect.any(Number) },
      byShare: [{ foreground: "15-100 %", pictures: 5, before: result.before, after: result.after }],
      byStart: expect.any(Array),
      byChange: [],
      worse: expect.any(Number),
      least: expect.any(Number),
      harmed: expect.any(Number),
      failed: [],
      csv: "table.csv",
      worst: expect.any(Array),
    });
    const after = result.after as PictureMetrics;
    expect(after.psnr).not.toBe((result.before as PictureMetrics).psnr);

    const [header, ...rows] = rowsOf(new TextDecoder().decode(work.read("table.csv")));
    expect(header?.slice(0, 6)).toEqual(["name", "share", "mse_before", "mse_after", "psnr_before", "psnr_after"]);
    expect(rows.map(([name]) => name)).toEqual([0, 1, 2, 3, 4].map((i) => `x${i}.png`));
    expect(rows.reduce((sum, row) => sum + Number(row[5]), 0) / 5).toBeCloseTo(after.psnr, 9);
    const worst = result.worst as { name: string; psnr: number }[];
    const byPsnr = rows.map((row) => ({ name: row[0], psnr: Number(row[5]) })).sort((a, b) => a.psnr - b.psnr);
    expect(worst).toEqual(byPsnr);
    expect(await work.decode("worst.png")).toMatchObject({ width: 4 * 260 - 4, height: 5 * 260 - 4, channels: 3 });
  });

  test("by another protocol, on a part, on fewer pictures", async () => {
    await data.coco("coco", { train2017: 1, val2017: 6 });
    const result = await evaluate("coco", "--protocol", "paper", "--limit", "3", "--csv", "paper.csv");
    expect(result).toMatchObject({ layout: "s-coco", part: "val", protocol: "paper", pictures: 3, worst: null });
    expect(result.before).toHaveProperty("wrappedMse");
    const [header, ...rows] = rowsOf(new TextDecoder().decode(work.read("paper.csv")));
    expect(header?.at(-1)).toBe("wrappedMse_after");
    expect(rows.map(([name]) => name)).toEqual([0, 2, 4].map((i) => `val2017/image/n${i}.jpg`));
    expect(await evaluate("coco", "--part", "train")).toMatchObject({ part: "train", pictures: 1 });
  });

  test("what people see: figures on stdout, a picture that cannot be read on stderr, and exit code 2", async () => {
    await data.flat("spoiled", 3);
    const whole = readFileSync(data.path("spoiled/x1_real.png"));
    data.write("spoiled/x1_real.png", whole.subarray(0, whole.length >> 1));
    const args = ["eval", "--data", data.path("spoiled"), "--weights", "tiny.safetensors", "--protocol", "iharmony4"];
    const { code, stdout, stderr } = await work.s2am(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^x1\.png: left out: .*x1_real\.png: truncated PNG/m);
    const lines = stdout.split("\n");
    expect(lines[0]).toMatch(/spoiled \(flat, all\): 2 of 3 pictures$/);
    expect(lines[1]).toMatch(/^protocol iharmony4: 256 x 256 bicubic/);
    expect(lines[2]).toMatch(/^ +composites +harmonized$/);
    expect(stdout).toMatch(/^PSNR, dB +\d+\.\d\d +\d+\.\d\d$/m);
    expect(stdout).toMatch(/^15-100 % +2( +\d+\.\d\d){6}$/m);
  });
});

describe("another size, and nothing pasted back", () => {
  /** A network that adds `change` to every sample, where its last weights are 0. */
  const brightening = (change: number, last = 0): Uint8Array =>
    tinyWeights((tensors) => {
      const weight = new Float32Array(8 * 3 * 16).fill(last);
      tensors.set("model.model.up.1.weight", fromFloat32(weight, [8, 3, 4, 4], "F32"));
      tensors.set("model.model.up.1.bias", fromFloat32(new Float32Array(3).fill(change), [3], "F32"));
    });

  test("--no-paste measures the whole output, --size at another size", async () => {
    work.write("bright.safetensors", brightening(0.125));
    const more = ["--weights", "bright.safetensors", "--protocol", "paper"];
    const pasted = await evaluate("flat", ...more, "--size", "48");
    const whole = await evaluate("flat", ...more, "--size", "48", "--no-paste");
    expect(pasted).toMatchObject({ size: 48, pasted: true, description: expect.stringMatching(/^48 x 48 bilinear/) });
    expect(whole).toMatchObject({ size: 48, pasted: false, before: pasted.before });
    const protocol = protocolOf("paper", 48);
    const expected = [0, 1, 2, 3, 4].map((i) => {
      const { composite, mask, target } = triple(i);
      const [before, real, m] = [protocol.picture(composite), protocol.picture(target), maskFromImage(mask)];
      const bright = before.data.map((value) => Math.min(255, Math.floor(value + 0.125 * 255 + 0.5)));
      return measure(protocol, { ...before, data: bright }, real, protocol.mask(m));
    });
    for (const key of ["psnr", "mse", "wrappedMse", "ssim", "fmse"] as const) {
      const mean = expected.reduce((sum, one) => sum + (one[key] ?? Number.NaN), 0) / 5;
      expect((whole.after as PictureMetrics)[key], key).toBeCloseTo(mean, 9);
    }
    // Pasted back, the background is untouched.
    expect((pasted.after as PictureMetrics).mse).toBeLessThan((whole.after as PictureMetrics).mse);
  });

  test("a network that changes nothing leaves the composite, whole or pasted", async () => {
    work.write("same.safetensors", brightening(0));
    for (const how of [[], ["--no-paste"]]) {
      const { before, after } = await evaluate("flat", "--weights", "same.safetensors", ...how);
      expect(after).toEqual(before);
    }
  });

  test("for people, the protocol's line says so", async () => {
    const args = ["eval", "--data", data.path("flat"), "--weights", "tiny.safetensors", "--no-paste", "--limit", "1"];
    const { stdout } = await work.s2am(args);
    expect(stdout).toMatch(/^protocol default: 256 x 256 .*; the network's whole output, nothing pasted back$/m);
  });

  test("an output that is not finite is named", async () => {
    work.write("huge.safetensors", brightening(0, 3e38));
    const args = ["eval", "--data", data.path("flat"), "--weights", "huge.safetensors", "--no-paste"];
    const { code, stderr } = await work.s2am(args);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(/output is not finite/) });
  });
});

describe("refusals come before a device is opened", () => {
  const args = (root: string, ...more: readonly string[]): string[] => [
    ...["eval", "--data", data.path(root), "--weights", "tiny.safetensors"],
    ...more,
  ];

  test("of folders", async () => {
    mkdirSync(data.path("empty"));
    await work.refused(args("empty"), /empty: holds no pictures to train on; expected one of/);
    await work.refused(args("nowhere"), /nowhere: cannot be opened \(no such file or directory\)/);
    await data.flat("missing", 2);
    rmSync(data.path("missing/x1_mask.png"));
    await work.refused(args("missing"), /x1\.png: has no mask/);
    await data.flat("sizes", 2);
    await data.picture("sizes/x1_mask.png", triple(0, { width: 9, height: 9 }).mask);
    await work.refused(args("sizes"), /x1_mask\.png is 9 x 9 pixels/);
    await data.coco("val-only", { val2017: 1 });
    await work.refused(args("val-only", "--part", "train"), /val-only: has no pictures of the part train/);
  });

  test("of options", async () => {
    await work.refused(args("flat", "--protocol", "mine"), /Allowed choices are default, iharmony4, idih, paper/);
    await work.refused(args("flat", "--limit", "0"), /expected a whole number from 1/);
    await work.refused(args("flat", "--size", "8"), /--size.*expected a whole number from 16 to 4096/);
    await work.refused(args("flat", "--csv", "no/such/table.csv"), /no\/such: no such folder/);
    await work.refused(args("flat", "--worst", "strip.gif"), /strip\.gif: cannot tell the output's format/);
    await work.refused(args("flat", "--csv", "one.png", "--worst", "one.png"), /must not name the same file/);
    await work.refused(args("flat", "--csv", "tiny.safetensors"), /the output must not be an input/);
    await work.refused(args("flat", "--worst", data.path("flat/x0.png")), /x0\.png: the output must not be an input/);
    await work.refused(["eval", "--data", data.path("flat"), "--weights", "none.pth"], /none\.pth: cannot be opened/, {
      before: false,
    });
  });
});

describe("a summary", () => {
  const metrics = (value: number): PictureMetrics => ({ mse: value, psnr: value, fmse: value, fpsnr: value, ssim: 1 });
  const one = (name: string, share: number, value: number): Measured => ({
    name,
    share,
    before: metrics(value),
    after: metrics(2 * value),
  });

  test("groups by the foreground's share, and leaves undefined figures out of a mean", () => {
    const empty = { ...one("d", 0, 7), before: { ...metrics(7), fmse: Number.NaN, fpsnr: Number.NaN } };
    const all = [one("a", 0.049, 1), one("b", 0.05, 3), one("c", 0.15, 5), one("e", 1, 9), empty];
    const { pictures, before, after, byShare } = summarize(all);
    expect([pictures, before.mse, before.fmse, after.mse]).toEqual([5, 5, 4.5, 10]);
    expect(byShare.map(({ foreground, pictures, before }) => [foreground, pictures, before.mse])).toEqual([
      ["0-5 %", 2, 4],
      ["5-15 %", 1, 3],
      ["15-100 %", 2, 7],
    ]);
  });

  test("tells who is made worse, by where they began and by the kind of change", () => {
    const from = (before: number, after: number, change: string): Measured => ({
      name: change,
      share: 0.5,
      before: metrics(before),
      after: metrics(after),
      change,
    });
    const all = [
      from(25, 31, "cast"),
      from(26, 25, "haze"),
      from(36, 34.9, "haze"),
      from(37, 36.5, "cast"),
      from(39, 37, "cast"),
      from(MAX_PSNR, 48, "untouched"),
      from(MAX_PSNR, MAX_PSNR, "untouched"),
    ];
    const summary = summarize(all);
    expect([summary.worse, summary.harmed, summary.least]).toEqual([5, 2, 25]);
    expect(
      summary.byStart.map(({ start, pictures, worse, least, after }) => [start, pictures, worse, least, after.psnr]),
    ).toEqual([
      ["below 26 dB", 1, 0, 31, 31],
      ["26-30 dB", 1, 1, 25, 25],
      ["34-38 dB", 2, 2, 34.9, expect.closeTo(35.7, 9)],
      ["38 dB on", 1, 1, 37, 37],
      ["equal", 2, 1, 48, 74],
    ]);
    expect(summary.byChange.map(({ change, pictures, worse }) => [change, pictures, worse])).toEqual([
      ["cast", 3, 2],
      ["haze", 2, 2],
      ["untouched", 2, 1],
    ]);
    const lines = summaryLines(summary);
    expect(lines).toContain("worse than before: 5 of 7; of those that began at 36 dB or better, 2 by more than 1 dB");
    expect(lines.at(-1)).toMatch(/^untouched +2 +100\.00 +74\.00 +1 +48\.00$/);
  });

  test("reads the kind of change from a manifest, whole lines alone", async () => {
    mkdirSync(work.path("made"));
    work.write(
      "made/manifest.val.jsonl",
      [
        JSON.stringify({ format: "s2am synth 1" }),
        JSON.stringify({ name: "000000_a.png", transform: "adjustments", parameters: { family: "cast" } }),
        JSON.stringify({ name: "000001_b.png", transform: "reinhard", parameters: {} }),
        JSON.stringify({ index: 2, skipped: true }),
        '{"name":"000003_c.png","transf',
      ].join("\n"),
    );
    const changes = await readChanges(work.path("made"));
    expect([...changes]).toEqual([
      ["000000_a.png", "cast"],
      ["000001_b.png", "reinhard"],
    ]);
    expect(changeOf(changes, "val2017/image/000001_b.png")).toBe("reinhard");
    expect(changeOf(changes, "val2017/image/000009_z.png")).toBe(undefined);
    expect([...(await readChanges(work.path("nowhere")))]).toEqual([]);
  });

  test("names in tables are quoted where they must be", () => {
    const [, row] = csvOf([one('odd, "name"', 0.5, 1)]).split("\n");
    expect(row).toBe('"odd, ""name""",0.5,1,2,1,2,1,2,1,2,1,1');
  });
});
