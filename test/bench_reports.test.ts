/** What the bench makes of its measurements: statistics, floors, comparison. No device is opened. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { byKernel } from "../bench/breakdown.js";
import { assertSameAdapter, compareResults, parseResults } from "../bench/compare.js";
import { costOf, floored, limitOf } from "../bench/floors.js";
import { collect, summarize } from "../bench/statistics.js";
import { InputError, UsageError } from "../src/errors.js";
import { packageFile } from "../src/package.node.js";
import { pass, ROOFLINE, timed } from "./helpers/bench_rows.js";

describe("statistics", () => {
  test("quantiles lie between neighbours; the spread is that of the quartiles", () => {
    expect(summarize([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, p95: expect.closeTo(3.85), spread: 0.6, count: 4 });
    expect(summarize([7])).toEqual({ median: 7, min: 7, p95: 7, spread: 0, count: 1 });
    expect(summarize([5, 5, 5, 1000]).median).toBe(5);
  });

  test("samples end with the budget, but not before the least nor after the most", async () => {
    const sample = async () => 1;
    expect(await collect(sample, { ms: 0, least: 3, most: 10 })).toHaveLength(3);
    expect(await collect(sample, { ms: 1e6, least: 3, most: 10 })).toHaveLength(10);
  });
});

describe("floors", () => {
  test("the larger of arithmetic and traffic, node by node, whatever the passes", () => {
    const compute = pass(); // 2 ms of arithmetic, 0.4 ms of traffic
    const memory = [pass({ nodeId: -1, flops: 0, minBytes: 0 }), pass({ nodeId: -1, flops: 1e6, minBytes: 3e6 })]; // 0.3 ms
    expect(floored([compute], ROOFLINE, 4)).toEqual({ floorMs: 2, percentOfFloor: 50, bound: "compute" });
    expect(floored(memory, ROOFLINE, 3)).toEqual({ floorMs: 0.3, percentOfFloor: 10, bound: "memory" });
    expect(floored([compute, ...memory], ROOFLINE, 4.6).floorMs).toBeCloseTo(2.3, 12);
    expect(floored([compute, ...memory], ROOFLINE, 4.6).percentOfFloor).toBeCloseTo(50, 12);
    expect(costOf(memory)).toEqual({ flops: 1e6, bytes: 3e6, movedBytes: 10e6, dispatches: 2 });
    expect(floored([compute], null, 4)).toEqual({ floorMs: null, percentOfFloor: null, bound: null });
  });

  test("the limit is what explains the time", () => {
    expect(limitOf([pass()], ROOFLINE, 3)).toBe("compute");
    expect(limitOf([pass({ flops: 0 })], ROOFLINE, 0.5)).toBe("memory");
    expect(limitOf([pass({ flops: 0, bytes: 4e6 })], ROOFLINE, 0.75)).toBe("memory");
    expect(limitOf([pass({ flops: 0, bytes: 40e6 })], ROOFLINE, 5)).toBe("traffic 10.0x");
    const tiny = { flops: 1, bytes: 64, minBytes: 64 };
    expect(limitOf([pass(tiny), pass(tiny)], ROOFLINE, 0.03)).toBe("launch x2");
    expect(limitOf([pass({ invocations: 256 })], ROOFLINE, 20)).toBe("threads 256");
    expect(limitOf([pass({ invocations: null })], ROOFLINE, 20)).toBe("instructions");
    expect(limitOf([pass()], null, 20)).toBeNull();
  });

  test("kernels are summed over their nodes, the costliest first", () => {
    const shares = byKernel(
      [
        pass({ ms: 1 }),
        pass({ variant: "winograd", nodeId: -5, flops: 0, minBytes: 0 }),
        pass({ variant: "winograd", nodeId: -5 }),
        pass(),
      ],
      ROOFLINE,
    );
    expect(shares.map(({ kernel, count, nodes, ms }) => ({ kernel, count, nodes, ms }))).toEqual([
      { kernel: "conv2d_winograd", count: 2, nodes: 1, ms: 8 },
      { kernel: "conv2d_direct", count: 2, nodes: 2, ms: 5 },
    ]);
    expect(shares[1]).toMatchObject({
      floorMs: 4,
      percentOfFloor: 80,
      gflops: 80,
      bound: "compute",
      limit: "instructions",
    });
  });
});

describe("comparison", () => {
  const OPS = ["conv2d", "conv2d_backward_weight"];
  test("slower, faster, the same, missing; differences within the noise do not count", () => {
    const old = timed(
      [
        ["conv2d_direct", "a", 10],
        ["conv2d_direct", "b", 10],
        ["conv2d_direct", "c", 10, 0.3],
        ["conv2d_direct", "gone", 10],
        ["conv2d_direct", "d", 10],
      ],
      5,
    );
    const now = timed(
      [
        ["conv2d_direct", "a", 11],
        ["conv2d_direct", "b", 5],
        ["conv2d_direct", "c", 12],
        ["conv2d_direct", "d", 10.4],
        ["conv2d_direct", "new", 1],
      ],
      10,
    );
    const { slower, faster, same, missing } = compareResults(old, now, "old.json", OPS);
    expect(slower.map(({ part, ratio }) => [part, ratio])).toEqual([
      ["model", 2],
      ["kernel", 1.1],
    ]);
    expect(faster.map(({ name, ratio }) => [name, ratio])).toEqual([["conv2d_direct b", 0.5]]);
    expect(same).toBe(2);
    expect(missing).toEqual(["kernel conv2d_direct gone"]);
  });

  test("a case whose variant was replaced is still compared; another op of the same case is not", () => {
    const old = timed([["conv2d_direct", "a", 10]]);
    const now = timed([
      ["conv2d_winograd", "a", 5],
      ["conv2d_backward_weight_direct", "a", 99],
    ]);
    const { faster, missing } = compareResults(old, now, "old.json", OPS);
    expect(faster).toMatchObject([{ name: "conv2d_direct a, now conv2d_winograd a", ratio: 0.5 }]);
    expect(missing).toEqual([]);
  });

  test("every file under bench/results that s2am bench wrote loads", () => {
    const folder = packageFile("bench", "results");
    const others = /^(peers-|quality|resolution)|-toggles\.json$/; // of other engines, of quality, and of dawn's toggles
    const files = readdirSync(folder).filter((name) => name.endsWith(".json") && !others.test(name));
    expect(files.length).toBeGreaterThan(0);
    for (const name of files) {
      const results = parseResults(readFileSync(`${folder}/${name}`, "utf8"), name);
      const { slower, faster, same, missing } = compareResults(results, results, name, OPS);
      expect({ slower, faster, missing }).toEqual({ slower: [], faster: [], missing: [] });
      expect(same).toBeGreaterThan(0);
    }
  });

  test.each([
    ["{", /old.json: not JSON/],
    ["[]", /old.json: date/],
    ["7", /old.json: the document/],
    ['{"date": "x"}', /old.json: adapter/],
    [
      '{"date": "x", "adapter": {"name": "y"}, "kernels": [{"kernel": "k", "case": "c"}]}',
      /old.json: kernels.0.msMedian/,
    ],
  ])("%s is refused", (text, message) => {
    expect(() => parseResults(text, "old.json")).toThrow(InputError);
    expect(() => parseResults(text, "old.json")).toThrow(message);
  });

  test("times of another adapter are refused", () => {
    expect(() => assertSameAdapter(timed([]), { name: "some GPU" }, "old.json")).not.toThrow();
    expect(() => assertSameAdapter(timed([]), { name: "another" }, "old.json")).toThrow(UsageError);
    expect(() => assertSameAdapter(timed([]), { name: "another" }, "old.json")).toThrow(/"some GPU".*--force-compare/);
  });
});
