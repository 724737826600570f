/** What the bench shows: trace, page, summary of a machine. No device is opened. */
import { describe, expect, test } from "vitest";
import { byKernel, byNode } from "../bench/breakdown.js";
import { compareResults } from "../bench/compare.js";
import { costOf, floored, limitOf } from "../bench/floors.js";
import { htmlOf } from "../bench/html/page.js";
import type { Results } from "../bench/results.js";
import { traceOf } from "../bench/trace.js";
import { joinS2am, joinTorch, parseTorchRows, summaryMarkdown } from "../scripts/bench_gpu/summary.mjs";
import { pass, ROOFLINE, timed } from "./helpers/bench_rows.js";

describe("the trace", () => {
  const passes = [
    pass({ startMs: 0, ms: 2 }),
    pass({ nodeId: -9, shader: "winograd_input", variant: "winograd", flops: 0, minBytes: 0, startMs: 2, ms: 1 }),
    pass({ nodeId: -9, shader: "winograd_output", variant: "winograd", startMs: 3.5, ms: 1 }),
    pass({ startMs: 4, ms: 2 }), // begins before the one above has ended
  ];
  const trace = traceOf(
    [
      { name: "forward", passes },
      { name: "training step", passes: passes.slice(0, 1) },
    ],
    ROOFLINE,
    { adapter: "some GPU" },
  );
  const slices = trace.traceEvents.filter(({ ph }) => ph === "X");

  test("has a process a run, with names", () => {
    const processes = trace.traceEvents.filter(({ name }) => name === "process_name");
    expect(processes.map(({ pid, args }) => [pid, args.name])).toEqual([
      [1, "forward"],
      [2, "training step"],
    ]);
    expect(JSON.parse(JSON.stringify(trace))).toMatchObject({
      displayTimeUnit: "ms",
      otherData: { adapter: "some GPU" },
    });
  });

  test("has a slice a node, with its passes inside, in microseconds", () => {
    expect(byNode(passes)).toHaveLength(3);
    expect(slices.filter(({ pid }) => pid === 1).map(({ name, ts, dur }) => [name, ts, dur])).toEqual([
      ["conv2d_direct", 0, 2000],
      ["conv2d_winograd", 2000, 2500],
      ["winograd_input", 2000, 1000],
      ["winograd_output", 3500, 1000],
      ["conv2d_direct", 4000, 2000],
    ]);
    expect(slices[0]?.args).toMatchObject({
      op: "conv2d",
      variant: "direct",
      shader: "conv2d_direct",
      flops: 200e6,
      bytes: 4e6,
      movedBytes: 5e6,
      "GFLOP/s": 100,
      percentOfFloor: 100,
      bound: "compute",
    });
  });

  test("slices of one row nest: what overlaps has a row of its own", () => {
    const rows = new Map<string, { start: number; end: number }[]>();
    for (const { pid, tid, ts = 0, dur = 0 } of slices) {
      const row = rows.get(`${pid} ${tid}`) ?? [];
      for (const other of row) {
        const apart = ts >= other.end || ts + dur <= other.start;
        const inside = ts >= other.start && ts + dur <= other.end;
        expect(apart || inside).toBe(true);
      }
      rows.set(`${pid} ${tid}`, [...row, { start: ts, end: ts + dur }]);
    }
    expect([...rows.keys()]).toEqual(["1 1", "1 2", "2 1"]);
  });
});

const kernel = (op: string, variant: string, ms: number) => ({
  kernel: `${op}_${variant}`,
  op,
  variant,
  case: "1x64x64_<k3>",
  msMedian: ms,
  msMin: ms,
  msP95: ms,
  spread: 0.01,
  samples: 5,
  cold: true,
  ...costOf([pass()]),
  gflops: 200 / ms,
  gbps: 5 / ms,
  ...floored([pass()], ROOFLINE, ms),
  limit: limitOf([pass()], ROOFLINE, ms),
  worst: 0.1,
});

const RESULTS: Results = {
  command: "s2am bench --html <page>",
  date: "2026-01-01T00:00:00.000Z",
  versions: { s2am: "0" },
  adapter: { name: "<some> GPU", description: "", isSoftware: false } as Results["adapter"],
  roofline: ROOFLINE,
  kernels: [kernel("conv2d", "direct", 4), kernel("conv2d", "winograd", 1.5), kernel("linear", "direct", 0.1)],
  passes: byKernel([pass(), pass({ op: "linear", ms: 1 })], ROOFLINE),
  compare: compareResults(timed([["conv2d_direct", "a", 1]]), timed([["conv2d_direct", "a", 2]]), "old.json", []),
};

describe("the page", () => {
  const page = htmlOf(RESULTS);
  test("asks for nothing from anywhere", () => {
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/\b(src|href)=|url\((?!#)|@import|<script|https?:/);
  });

  test("escapes what it is given, and holds no number that is none", () => {
    expect(page).toContain("&lt;some&gt; GPU");
    expect(page).toContain("1x64x64_&lt;k3&gt;");
    expect(page).not.toMatch(/<some>|<k3>|NaN|undefined|Infinity/);
  });

  test("draws every kernel once, its floor, and the comparison", () => {
    expect(page.match(/class="end /g)).toHaveLength(3);
    expect(page.match(/class="floor"/g)).toHaveLength(3);
    expect(page.match(/class="dot kernel" cx/g)).toHaveLength(3 + 1); // and the key
    expect(page).toContain("2.00 ×");
  });

  test("does without what was not measured", () => {
    const { command, date, versions, adapter } = RESULTS;
    const bare = htmlOf({ command, date, versions, adapter });
    expect(bare).not.toMatch(/NaN|undefined|Infinity|<svg/);
    const { roofline, compare, ...rest } = RESULTS;
    const rows = (rest.kernels ?? []).map((row) => ({
      ...row,
      floorMs: null,
      percentOfFloor: null,
      bound: null,
      limit: null,
    }));
    expect(htmlOf({ ...rest, kernels: rows })).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe("the summary of a whole machine", () => {
  const rounds = [
    parseTorchRows(
      'warning: x\n{"name": "forward eager fp32", "ms_median": 6, "ms_min": 5}\n{"arch": "s2ad", "rows": []}',
    ),
    parseTorchRows(
      '{"name": "forward eager fp32", "ms_median": 8, "ms_min": 5}\n{"name": "forward compiled", "error": "no | triton"}',
    ),
  ];

  test("joins rounds by their medians", () => {
    expect(joinTorch(rounds)).toEqual([
      { name: "forward eager fp32", ms: 7, least: 6, most: 8, rounds: 2 },
      { name: "forward compiled", error: "no | triton" },
    ]);
    expect(
      joinS2am([
        { msMedian: 3, gpuMsMedian: 2 },
        { msMedian: 4, gpuMsMedian: 2.5 },
      ]),
    ).toMatchObject({
      ms: 3.5,
      gpuMs: 2.25,
      rounds: 2,
    });
  });

  test("gives ratios, and says what was left out", () => {
    const row = { gflop: 70, percentOfFloor: 40, dispatches: 90, movedBytes: 2 ** 30, activationBytes: 2 ** 25 };
    const s2am = joinS2am([{ ...row, msMedian: 3.5, gpuMsMedian: 2 }]);
    const text = summaryMarkdown({
      adapter: "some GPU",
      date: "2026-01-01",
      roofline: ROOFLINE,
      torch: { version: "2", device: "some GPU" },
      networks: [{ label: "s2ad", s2am, torch: joinTorch(rounds) }],
      check: { cases: 10, wrong: [] },
      kernels: RESULTS.kernels,
      notes: ["tuning: none"],
    });
    expect(text).toContain("| s2ad | forward eager fp32 | 7.00 (6.00–8.00) | 2.00 x | 3.50 x |");
    expect(text).toContain("failed: no / triton");
    expect(text).toContain("conv2d_winograd");
    expect(text).not.toContain("conv2d_direct"); // the slower variant of its case
    expect(text).toContain("- tuning: none");
    expect(text).not.toMatch(/NaN|undefined/);
  });
});
