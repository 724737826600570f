/** The comparison of networks on equal budgets: what it runs, what it keeps, what it says. No device is opened. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { atEqualTime, differenceOf, figureOf, inOrder, rowsOf } from "../bench/quality/aggregate.js";
import { linearAxis, logAxis, tickLabel } from "../bench/quality/axes.js";
import { chartOf } from "../bench/quality/chart.js";
import { CommandLine } from "../bench/quality/child.js";
import { type RunRecord, readLog, runName } from "../bench/quality/record.js";
import { isWhole, markdownOf, reportOf } from "../bench/quality/report.js";
import { CommandError, Comparison, claim, readRecords } from "../bench/quality/runs.js";
import { type Budget, checkBudget, DEFAULT_BUDGET, evalArgs, modelOf, trainArgs } from "../bench/quality/settings.js";
import { parseAblations, parseArchs, titleOf, type Variant, wholeNetwork } from "../bench/quality/variants.js";
import { AbortedError, InputError, UsageError } from "../src/errors.js";
import { CSV_HEADER, trainLine, validationLine } from "../src/train/history.js";

const folder = mkdtempSync(join(tmpdir(), "s2am-quality-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const BUDGET: Budget = { ...DEFAULT_BUDGET, evalSize: 128, steps: 100 };
const [UNET, S2ASC, S2AD] = parseArchs("s2ad,unet,s2asc").map(wholeNetwork) as [Variant, Variant, Variant];
const [GATES] = parseAblations("gates", "s2ad") as [Variant];

describe("networks", () => {
  test("are named by what they are", () => {
    expect(parseArchs("s2ad, unet")).toEqual(["unet", "s2ad"]);
    const variants = parseAblations("gates,learned+mixed,levels=6,mixed+learned", "s2asc");
    expect(variants.map(({ name }) => name)).toEqual([
      "s2asc-without-gates",
      "s2asc-without-mixed-learned",
      "s2asc-levels-6",
    ]);
    expect(variants.map(titleOf)).toEqual([
      "U-Net + S2ASC without gates",
      "U-Net + S2ASC without mixed, learned",
      "U-Net + S2ASC, 6 levels",
    ]);
    expect(parseAblations("none", "s2ad")).toEqual([]);
    expect(isWhole(variants[2] as Variant)).toBe(false);
  });

  test.each([
    [() => parseArchs("unet,vgg"), /--archs: expected some of unet, s2asc, s2ad, got "vgg"/],
    [() => parseAblations("mask", "s2ad"), /--ablations: expected some of gates, mixed, blur, learned.*got "mask"/],
    [() => parseAblations("gates+mixed+learned", "s2ad"), /S2AM is the identity/],
    [() => parseAblations("gates", "unet"), /unet has no S2AM/],
    [() => checkBudget({ ...BUDGET, size: 96 }, [UNET]), /--size must be a multiple of 128 for 7 levels, got 96/],
    [() => checkBudget({ ...BUDGET, width: 8 }, [UNET, S2ASC]), /s2asc needs a width of at least 16/],
  ])("%s is refused", (wrong, message) => {
    expect(wrong).toThrow(message);
    expect(wrong).toThrow(UsageError);
  });

  test("are trained and measured by the command line, alike but for what makes them", () => {
    const args = (variant: Variant, seed: number): string[] => trainArgs(variant, seed, BUDGET, { data: "D" }, "RUN");
    const [a, b] = [args(UNET, 1), args(GATES, 1)];
    expect(a.length).toBe(b.length);
    const differing = a.flatMap((arg, i) => (arg === b[i] ? [] : [a[i - 1]]));
    expect(differing).toEqual(["--arch", "--without"]);
    expect(b.join(" ")).toMatch(/--without gates .*--steps 100 .*--loss fn_mse .*--schedule cosine --ema 0\.998/);
    expect(args(UNET, 2).filter((arg, i) => arg !== a[i])).toEqual(["2"]);
    expect(modelOf(GATES, BUDGET)).toEqual({
      ...{ arch: "s2ad", width: 16, levels: 7, globalSkip: true, blur: "code", without: ["gates"] },
    });
    const place = { data: "D", adapter: "software" };
    const whole = evalArgs("w", "c", false, { ...BUDGET, evalCount: 9 }, place).join(" ");
    expect(whole).toMatch(/--part val .*--protocol paper --size 128 --limit 9 --adapter software --no-paste/);
    expect(evalArgs("w", "c", true, BUDGET, place)).not.toContain("--no-paste");
  });
});

const metrics = (psnr: number) => ({ psnr, mse: 10, fmse: 20, fpsnr: 30, ssim: 0.9, wrappedMse: 8 });
const measures = (psnr: number) => ({ pictures: 50, before: metrics(25), after: metrics(psnr), byShare: [] });

function record(variant: Variant, seed: number, psnr: number, more: Partial<RunRecord> = {}): RunRecord {
  const ms = 100 * (1 + ["unet", "s2asc", "s2ad"].indexOf(variant.arch));
  return {
    variant,
    seed,
    budget: BUDGET,
    parameters: 1_234_567,
    build: "0123456789abcdef",
    adapter: "some <adapter>",
    date: "2026-01-01T00:00:00.000Z",
    batch: BUDGET.batch,
    step: { median: ms, min: ms, p95: ms, spread: 0, count: 100 },
    whole: measures(psnr),
    pasted: measures(psnr + 0.25),
    curves: {
      loss: [20, 50, 100].map((step) => ({ step, loss: 0.1 / step })),
      validation: [25, 50, 75, 100].map((step) => ({ step, psnr: psnr - 10 / step })),
    },
    ...more,
  };
}

/** S2AD is clearly the best; S2ASC and the U-Net are as far apart as their seeds. */
const RECORDS = [
  record(S2AD, 0, 30.0),
  record(UNET, 0, 27.0),
  record(S2ASC, 0, 27.3),
  record(UNET, 1, 28.0),
  record(S2ASC, 1, 27.9),
  record(S2AD, 1, 30.2),
  record(GATES, 0, 29.5),
];

describe("figures", () => {
  test("a mean and the sample's standard deviation, none of one", () => {
    expect(figureOf([1, 2, 3, 4])).toEqual({ mean: 2.5, deviation: Math.sqrt(5 / 3), count: 4 });
    expect(figureOf([7])).toEqual({ mean: 7, deviation: null, count: 1 });
  });

  test("rows come in the paper's order, whole networks first", () => {
    const rows = rowsOf(inOrder(RECORDS));
    expect(rows.map(({ variant, seeds }) => [variant.name, seeds])).toEqual([
      ["unet", [0, 1]],
      ["s2asc", [0, 1]],
      ["s2ad", [0, 1]],
      ["s2ad-without-gates", [0]],
    ]);
    expect(rows[2]?.whole.psnr).toEqual(figureOf([30.0, 30.2]));
    expect(rows[2]?.pasted.psnr.mean).toBeCloseTo(30.35, 12);
    expect(rows.map(({ stepMs }) => stepMs)).toEqual([100, 200, 300, 300]);
  });

  test("a difference is held against what seeds alone make", () => {
    const [unet, s2asc, s2ad, gates] = rowsOf(inOrder(RECORDS));
    if (!unet || !s2asc || !s2ad || !gates) throw new Error("rows are missing");
    const small = differenceOf(s2asc, unet, "whole", RECORDS);
    expect(small).toMatchObject({ exceeds: false, common: 2, higher: 1 });
    expect(small.psnr).toBeCloseTo(0.1, 12);
    expect(small.spread).toBeCloseTo(Math.hypot(Math.SQRT1_2, 0.6 * Math.SQRT1_2), 12);
    expect(differenceOf(s2ad, s2asc, "whole", RECORDS)).toMatchObject({ exceeds: true, common: 2, higher: 2 });
    expect(differenceOf(gates, s2ad, "whole", RECORDS)).toMatchObject({ spread: null, exceeds: null, higher: 0 });
  });

  test("at equal time the slower ones have taken fewer steps", () => {
    expect(atEqualTime(rowsOf(inOrder(RECORDS)).slice(0, 3), RECORDS)).toEqual([
      { name: "unet", steps: 100, validation: { step: 100, psnr: expect.closeTo(27.5 - 0.1, 9) } },
      { name: "s2asc", steps: 50, validation: { step: 50, psnr: expect.closeTo(27.6 - 0.2, 9) } },
      { name: "s2ad", steps: 33, validation: { step: 25, psnr: expect.closeTo(30.1 - 0.4, 9) } },
    ]);
  });
});

describe("the report", () => {
  const names = RECORDS.map(({ variant, seed }) => runName(variant, seed));
  const text = (records: readonly RunRecord[], expected = names): string =>
    markdownOf(reportOf(inOrder(records), expected), inOrder(records), { command: "c" });
  const markdown = text(RECORDS);

  test("says the order, whether differences exceed the spread, and the paper's", () => {
    expect(markdown).toContain(
      "By PSNR of the network's whole output: U-Net + S2AD 30.10 ± 0.14 dB, U-Net + S2ASC 27.60 ± 0.42 dB, U-Net 27.50 ± 0.71 dB.",
    );
    expect(markdown).toMatch(
      /U-Net \+ S2AD over U-Net \+ S2ASC: \+2\.50 dB, more than the seeds' spread of 0\.45, higher in 2 of 2 seeds/,
    );
    expect(markdown).toMatch(
      /U-Net \+ S2ASC over U-Net: \+0\.10 dB, no more than the seeds' spread of 0\.82, higher in 1 of 2/,
    );
    expect(markdown.match(/The paper has the same order\./g)).toHaveLength(2);
    expect(markdown).not.toMatch(/NaN|undefined|Infinity/);
  });

  test("says so when the order is another", () => {
    const turned = [record(UNET, 0, 30), record(S2AD, 0, 29)];
    expect(text(turned)).toMatch(/U-Net 30\.00 dB, U-Net \+ S2AD 29\.00 dB\. .*from one seed, so that nothing tells/);
    expect(text(turned)).toContain("The paper has another order: U-Net + S2AD 35.23, U-Net 33.55.");
  });

  test("has the paper's figures beside its own, and ablations with their differences", () => {
    const lines = markdown.split("\n");
    const row = (start: string): string => lines.find((line) => line.startsWith(start)) ?? "";
    expect(row("| composites as they are")).toMatch(/\| 25\.00 \| 0\.9000 \|.*\| 26\.62, 0\.9469, 25\.94 \|$/);
    expect(row("| U-Net + S2AD | pasted back")).toMatch(/\| 2 \| 1,234,567 \| 300 \| 30\.35 ± 0\.14 .*35\.38, 0\.9811/);
    expect(row("| U-Net | pasted back")).toMatch(/\| – \|$/);
    expect(row("- U-Net + S2AD without gates")).toMatch(/whole output −0\.60 dB; from one seed.*of S2ASC: −1\.42 dB/);
    expect(row("| U-Net + S2AD without gates | the network's")).toMatch(/\| 33\.32, 0\.9758, 17\.93 \|$/);
    const widths = lines.filter((line) => line.startsWith("|")).map((line) => line.split("|").length);
    expect(new Set(widths).size).toBe(1);
  });

  test("remarks what is missing or unequal", () => {
    expect(text(RECORDS)).not.toMatch(/- \*\*/);
    const odd = [...RECORDS.slice(1), record(S2AD, 0, 30, { batch: 2, adapter: "other", build: "f".repeat(64) })];
    const remarks = text(odd, [...names, "s2ad-seed2"]);
    expect(remarks).toContain("**Not complete yet: s2ad-seed2.**");
    expect(remarks).toMatch(/for want of memory, in s2ad-seed0 \(2\): not an equal budget/);
    expect(remarks).toMatch(/do not share the adapter.*other/);
    expect(remarks).toMatch(/do not share the program's version: .*ffffffffffff/);
  });
});

describe("the chart", () => {
  const all = (text: string, pattern: RegExp): number => (text.match(pattern) ?? []).length;

  test("draws every run and every mean, and stands alone", () => {
    const svg = chartOf(RECORDS, [UNET, S2ASC, S2AD], "A <title>");
    expect(svg).toContain("A &lt;title&gt;");
    expect(svg).not.toMatch(/NaN|undefined|Infinity|href=|url\(|<title>/);
    expect(all(svg, /<polyline class="thin s\d/g)).toBe(3 * 6); // three panels of curves, six runs
    expect(all(svg, /<polyline class="s\d/g)).toBe(3 * 3);
    expect(all(svg, /class="f\d dot"/g)).toBe(2 * 6);
    expect(all(svg, /class="mean s\d"/g)).toBe(2 * 3);
    expect(svg).toContain("Validation PSNR by time, dB");
  });

  test("shows the loss by time where there are few validations, and a dot where there is one", () => {
    const curves = { loss: [{ step: 6, loss: 0.1 }], validation: [{ step: 6, psnr: 20 }] };
    const svg = chartOf([record(UNET, 0, 30, { curves })], [UNET, S2AD], "t");
    expect(svg).toContain("Training loss by time");
    expect(svg).not.toMatch(/<polyline|NaN|undefined|Infinity|S2AD/);
    expect(all(svg, /<circle class="s0"/g)).toBe(3);
  });

  test("axes have round ticks inside their range", () => {
    const axis = linearAxis([26.62, 35.38], 100, 0);
    expect(axis.ticks).toEqual([28, 30, 32, 34]);
    expect(axis.at(35.38)).toBeGreaterThan(0);
    expect(axis.at(26.62)).toBeLessThan(100);
    expect(linearAxis([5, 5], 0, 10).ticks.length).toBeGreaterThan(0);
    expect(logAxis([0.003, 0.04], 0, 100).ticks.map(tickLabel)).toEqual(["0.005", "0.01", "0.02"]);
    expect([0, 1e-4, 0.30000000000000004, 2e6].map(tickLabel)).toEqual(["0", "1e-4", "0.3", "2e+6"]);
  });
});

describe("runs", () => {
  let folders = 0;
  const fresh = async (): Promise<string> => {
    folders += 1;
    const path = join(folder, String(folders));
    await Comparison.prepare(path, BUDGET);
    return path;
  };
  const log = `${CSV_HEADER}${[1, 2, 3]
    .map((step) =>
      trainLine({ step, epoch: 1, loss: step, lr: 1, gradientNorm: 1, skipped: false, imagesPerSecond: 8 }),
    )
    .join("")}${validationLine({ step: 3, epoch: 1, psnr: 21, ssim: 1, mse: 1, fmse: 1 })}`;

  /** Stands for the command line: leaves what a training leaves. */
  function scripted(path: string, outcome = "finished") {
    const calls: string[] = [];
    const said: string[] = [];
    const comparison = new Comparison({
      folder: path,
      budget: BUDGET,
      data: "D",
      build: "b",
      say: (line) => said.push(line),
      now: () => 0,
      command: async (args, onEvent) => {
        calls.push(args[0] ?? "");
        if (args[0] === "eval") return { ...measures(args.includes("--no-paste") ? 30 : 31), adapter: "a" };
        const run = args[args.indexOf("--resume") + 1] ?? "";
        mkdirSync(run, { recursive: true });
        writeFileSync(join(run, "log.csv"), log);
        for (const step of [1, 2]) onEvent({ event: "step", step, steps: 3, imagesPerSecond: 8, secondsLeft: 61 });
        onEvent({ event: "warning", message: "careful" });
        return { outcome, step: 2, batch: 4, accumulate: 1 };
      },
    });
    return { comparison, calls, said };
  }

  test("are trained, measured twice and kept; what is complete is not repeated", async () => {
    const path = await fresh();
    const { comparison, calls, said } = scripted(path);
    expect(await comparison.record(GATES, 3)).toBeNull();
    const kept = await comparison.complete(GATES, 3);
    expect(calls).toEqual(["train", "eval", "eval"]);
    expect(said).toEqual([
      "s2ad-without-gates-seed3: step 1 of 3, 8.0 images/s, 2 min left",
      "s2ad-without-gates-seed3: careful",
    ]);
    expect(kept).toMatchObject({
      seed: 3,
      batch: 4,
      step: { median: 500, count: 3 },
      whole: { after: { psnr: 30 } },
      pasted: { after: { psnr: 31 } },
      curves: { loss: [1, 2, 3].map((step) => ({ step, loss: step })), validation: [{ step: 3, psnr: 21 }] },
    });
    expect(await comparison.complete(GATES, 3)).toEqual(kept);
    expect(calls).toHaveLength(3);
    expect(await readRecords(path)).toEqual([kept]);
  });

  test("that were stopped are not complete", async () => {
    const path = await fresh();
    const { comparison, calls } = scripted(path, "interrupted");
    await expect(comparison.complete(UNET, 0)).rejects.toThrow(AbortedError);
    expect(calls).toEqual(["train"]);
    expect(await comparison.record(UNET, 0)).toBeNull();
    await expect(readRecords(path)).rejects.toThrow(/holds no complete run to report on/);
  });

  test("of another budget, or in a folder of something else, are refused", async () => {
    const path = await fresh();
    await Comparison.prepare(path, BUDGET);
    await expect(Comparison.prepare(path, { ...BUDGET, steps: 7 })).rejects.toThrow(/runs of steps 100, not 7/);
    const other = join(folder, "other");
    mkdirSync(other);
    writeFileSync(join(other, "letter.txt"), "");
    await expect(Comparison.prepare(other, BUDGET)).rejects.toThrow(/holds something else than a comparison/);
    writeFileSync(join(path, "measured", "unet-seed0.json"), "{");
    await expect(readRecords(path)).rejects.toThrow(InputError);
    await expect(readRecords(path)).rejects.toThrow(/unet-seed0\.json: is not JSON; remove it/);
  });

  test("two at once in one folder are refused; what a killed one left is not", async () => {
    const path = await fresh();
    const { alsoFor, release } = await claim(path, 10, () => false);
    await alsoFor(11);
    await expect(claim(path, 12, (pid) => pid === 11)).rejects.toThrow(/by process 11: wait for it or end it/);
    await release();
    const again = await claim(path, 12, () => true);
    await claim(path, 13, () => false);
    await again.release();
  });

  test("a log without a step, or none, is named", async () => {
    const run = join(folder, "run");
    mkdirSync(run);
    await expect(readLog(run, 4)).rejects.toThrow(/log\.csv: cannot be read/);
    writeFileSync(join(run, "log.csv"), CSV_HEADER);
    await expect(readLog(run, 4)).rejects.toThrow(/log\.csv: holds no step/);
  });
});

describe("the command line as a child", () => {
  const script = join(folder, "script.mjs");
  const log = join(folder, "commands.log");
  writeFileSync(
    script,
    `const [, , what] = process.argv;
console.error(JSON.stringify({ event: "step", step: 1 }));
console.error(JSON.stringify({ event: "note", message: "n" }));
console.error("{not JSON");
process.on("SIGINT", () => { console.log('{"outcome":"interrupted"}'); process.exit(0); });
if (what === "wait") { console.error(JSON.stringify({ event: "ready" })); setTimeout(() => {}, 60000); }
else if (what === "fail") { console.error("s2am: it is broken"); process.exitCode = 2; }
else console.log('{"outcome":"finished"}');`,
  );
  const events: string[] = [];
  const pids: number[] = [];
  const line = new CommandLine({ script, log, onStart: async (pid) => void pids.push(pid) });

  test("gives its document, its events and a log without steps", async () => {
    expect(await line.run(["go", "on"], ({ event }) => void events.push(event))).toEqual({ outcome: "finished" });
    expect(events).toEqual(["step", "note"]);
    expect(pids).toHaveLength(1);
    expect(readFileSync(log, "utf8")).toBe('$ s2am go on\n{"event":"note","message":"n"}\n{not JSON\n');
    expect(line.signal("SIGINT")).toBe(false);
  });

  test("fails with what it said", async () => {
    await expect(line.run(["fail"], () => {})).rejects.toThrow(CommandError);
    await expect(line.run(["fail"], () => {})).rejects.toThrow("s2am fail ended with 2: s2am: it is broken");
  });

  test.skipIf(process.platform === "win32")("is interrupted by the bench's hand", async () => {
    const found = await line.run(["wait"], ({ event }) => void (event === "ready" && line.signal("SIGINT")));
    expect(found).toEqual({ outcome: "interrupted" });
  });
});
