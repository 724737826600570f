/** The comparison of networks on equal budgets: what it runs, and what it says of the runs. No device is opened. */
import { describe, expect, test } from "vitest";
import { atEqualTime, differenceOf, figureOf, inOrder, rowsOf } from "../bench/quality/aggregate.js";
import { linearAxis, logAxis, tickLabel } from "../bench/quality/axes.js";
import { chartOf } from "../bench/quality/chart.js";
import { type RunRecord, runName } from "../bench/quality/record.js";
import { isWhole, markdownOf, reportOf } from "../bench/quality/report.js";
import { checkBudget, evalArgs, modelOf, trainArgs } from "../bench/quality/settings.js";
import { parseAblations, parseArchs, titleOf, type Variant } from "../bench/quality/variants.js";
import { UsageError } from "../src/errors.js";
import { BUDGET, GATES, record, S2AD, S2ASC, UNET } from "./helpers/quality_runs.js";

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
