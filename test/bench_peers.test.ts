/** The bench beside other engines: its own package, what it refuses to time, and how it counts. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Readiness } from "../bench/peers/engine.js";
import { type ConvJob, fromPlanes, toPlanes } from "../bench/peers/jobs.js";
import { type EngineHandle, measure } from "../bench/peers/measure.js";
import { showJob } from "../bench/peers/report.js";
import { packageFile } from "../src/package.node.js";

const JOB: ConvJob = {
  kind: "conv",
  name: "a job",
  size: 4,
  cIn: 1,
  cOut: 1,
  kernel: 3,
  stride: 1,
  padding: 1,
  onnx: "",
};

interface Scripted {
  readonly y: readonly number[];
  readonly loss?: number;
  /** Of each turn. */
  readonly turns: readonly (readonly number[] | Error)[];
}

const order: string[] = [];

function engine(name: string, { y, loss, turns }: Scripted): EngineHandle & { stopped: boolean } {
  const left = [...turns];
  const ready: Readiness = {
    version: "1.0.0",
    drivers: [],
    outputs: { y: Float32Array.from(y), ...(loss !== undefined && { loss }) },
    flops: 6e6,
    adapter: "scripted",
  };
  return {
    name,
    stopped: false,
    prepare: () => Promise.resolve(ready),
    run() {
      order.push(name);
      const turn = left.shift();
      return turn instanceof Error ? Promise.reject(turn) : Promise.resolve(turn ?? []);
    },
    stop() {
      this.stopped = true;
    },
  };
}

const own = (loss?: number): EngineHandle =>
  engine("own", { y: [1, -2, 0.5], turns: [[1, 3, 2], [4], [2]], ...(loss !== undefined && { loss }) });
const measured = (engines: readonly EngineHandle[]) => measure(JOB, engines, 3, () => {});

describe("measure", () => {
  test("medians of turns in turn; the ratio is taken round by round", async () => {
    order.length = 0;
    const other = engine("other", { y: [1, -2, 0.5001], turns: [[20], [8, 8], [30, 10]] });
    const { rows, adapter, gflop } = await measured([own(), other]);
    expect(order).toEqual(["own", "other", "own", "other", "own", "other"]);
    expect({ adapter, gflop }).toEqual({ adapter: "scripted", gflop: 0.006 });
    expect(rows[0]).toMatchObject({
      rounds: [2, 4, 2],
      ms: { median: 2, p25: 2, p75: 3 },
      gflops: 3,
      relativeError: null,
    });
    expect(rows[1]).toMatchObject({ rounds: [20, 8, 20], ratio: { median: 10, p25: 6, p75: 10 } });
    expect(rows[1]).toMatchObject({ relativeError: expect.closeTo(5e-5, 6) });
  });

  test.each([
    [[1, -2, 0.501], /output differs from this engine's by 5\.0e-4/],
    [[1, -2, Number.NaN], /output differs/],
    [[1, -2], /output differs/],
  ])("an engine that gives %j is not timed", async (y, message) => {
    const wrong = engine("wrong", { y, turns: [[1], [1], [1]] });
    const { rows } = await measured([own(), wrong]);
    expect(rows[1]).toMatchObject({ engine: "wrong", skipped: expect.stringMatching(message) });
    expect(wrong.stopped).toBe(true);
  });

  test("nor one with another loss", async () => {
    const y = [1, -2, 0.5];
    const { rows } = await measured([
      own(0.5),
      engine("wrong", { y, loss: 0.501, turns: [] }),
      engine("none", { y, turns: [] }),
    ]);
    for (const row of rows.slice(1)) expect(row).toMatchObject({ skipped: expect.stringMatching(/loss differs/) });
  });

  test("an engine that fails on the way is told of, the others go on; the bench's own may not", async () => {
    const failing = engine("failing", { y: [1, -2, 0.5], turns: [[5], new Error("out of memory")] });
    const { rows } = await measured([own(), failing]);
    expect(rows).toMatchObject([{ rounds: [2, 4, 2] }, { engine: "failing", skipped: "out of memory" }]);
    const broken = engine("own", { y: [1], turns: [new Error("lost")] });
    await expect(measured([broken])).rejects.toThrow("lost");
  });

  test("the table has a line an engine, with the reason where there is no time", async () => {
    const wrong = engine("wrong", { y: [9], turns: [] });
    const lines = showJob(await measured([own(), wrong]));
    expect(lines.slice(2)).toEqual([
      expect.stringMatching(/^own .* 2\.0 .* 1\.00x/),
      expect.stringMatching(/^wrong +not timed: its output/),
    ]);
  });
});

test("channels first and last, there and back", () => {
  const values = Float32Array.from({ length: 2 * 6 * 3 }, (_, i) => i);
  const planes = toPlanes(values, 2, 6, 3);
  expect(Array.from(planes.subarray(0, 6))).toEqual([0, 3, 6, 9, 12, 15]);
  expect(planes[18]).toBe(18);
  expect(fromPlanes(planes, 2, 6, 3)).toEqual(values);
});

test("the other engines are a package apart: exact versions, no install scripts, no addresses", () => {
  const read = (...path: string[]): string => readFileSync(packageFile(...path), "utf8");
  const { dependencies } = JSON.parse(read("bench", "peers", "package.json")) as {
    dependencies: Record<string, string>;
  };
  for (const version of Object.values(dependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  expect(read("bench", "peers", ".npmrc")).toMatch(/^ignore-scripts=true$/m);
  expect(read("bench", "peers", "package-lock.json")).not.toContain('"resolved"');
  const root = JSON.parse(read("package.json"));
  for (const name of Object.keys(dependencies)) {
    expect({ ...root.dependencies, ...root.devDependencies, ...root.optionalDependencies }).not.toHaveProperty([name]);
  }
});
