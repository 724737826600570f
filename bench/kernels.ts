/** Checks kernels against their oracles, then times the large rows of the case tables with GPU timestamps. */
import { compile } from "../src/graph/compile.js";
import type { Runtime } from "../src/graph/runtime.js";
import type { DType } from "../src/graph/tensor.js";
import { buildCase, checkCase, compareWithOracle, hostInputs, runnableVariants } from "../src/kernels/check.js";
import { suites } from "../src/kernels/index.js";
import { type AnySuite, f16Rows, type HostArray, type OpCase } from "../src/kernels/suite.js";
import { kernelOf } from "./breakdown.js";
import { CacheFlush } from "./cold.js";
import { type Bound, costOf, floored, limitOf } from "./floors.js";
import type { Roofline } from "./roofline/roofline.js";
import { collect, summarize } from "./statistics.js";

export interface CheckRow {
  readonly kernel: string;
  readonly case: string;
  /** Largest error as a share of the tolerance. */
  readonly worst: number;
  readonly ok: boolean;
  readonly detail: string;
}

export interface KernelRow {
  readonly kernel: string;
  readonly op: string;
  readonly variant: string;
  readonly case: string;
  readonly msMedian: number;
  readonly msMin: number;
  readonly msP95: number;
  /** From the lower to the upper quartile, as a share of the median. */
  readonly spread: number;
  readonly samples: number;
  /** Whether the caches were overwritten before each sample. */
  readonly cold: boolean;
  /** Of the plain algorithm. */
  readonly flops: number;
  /** Inputs and outputs, each once. */
  readonly bytes: number;
  /** What the passes bind, scratch counted in. */
  readonly movedBytes: number;
  readonly dispatches: number;
  readonly gflops: number;
  /** Of what the passes bind. */
  readonly gbps: number;
  readonly floorMs: number | null;
  readonly percentOfFloor: number | null;
  readonly bound: Bound | null;
  /** Why it is not at its floor: see `limitOf`. */
  readonly limit: string | null;
  /** Largest error of the sampled outputs as a share of the tolerance. */
  readonly worst: number;
}

export interface KernelBenchOptions {
  readonly signal?: AbortSignal | undefined;
  /** Only kernels whose `op_variant` or case contains this. */
  readonly filter?: string | undefined;
  /** Every variant that can run, not only the one that would be chosen. */
  readonly allVariants?: boolean | undefined;
  /** What rows are held against; null for none. */
  readonly roofline: Roofline | null;
  /** Of repeats, at most. */
  readonly seconds: number;
  /** f16: the rows of ops that take it, in each of their forms. */
  readonly dtype: DType;
  readonly onRow: (line: string) => void;
}

const SAMPLED_OUTPUTS = 64;
const REPEATS = { least: 5, most: 50 };

function* rows(
  { filter, dtype }: Pick<KernelBenchOptions, "filter" | "dtype">,
  timed: boolean,
): Generator<{ suite: AnySuite; row: OpCase<unknown> }> {
  for (const suite of suites) {
    for (const plain of suite.cases) {
      if ((plain.timed ?? false) !== timed) continue;
      for (const row of dtype === "f16" ? f16Rows(suite, plain) : [plain])
        if (`${suite.op.name} ${row.name}`.includes(filter ?? "")) yield { suite, row };
    }
  }
}

/** Whether a filter leaves any row: of the timed ones, or of the small ones that are checked. */
export const anyRows = (options: Pick<KernelBenchOptions, "filter" | "dtype">, timed: boolean): boolean =>
  rows(options, timed).next().done !== true;

/** Every small case of every variant that this device runs. */
export async function checkKernels(
  runtime: Runtime,
  options: Pick<KernelBenchOptions, "signal" | "filter" | "dtype" | "onRow">,
): Promise<CheckRow[]> {
  const { signal, onRow } = options;
  const checked: CheckRow[] = [];
  for (const { suite, row } of rows(options, false)) {
    for (const variant of runnableVariants(suite, row, runtime)) {
      if (signal?.aborted) return checked;
      const { worst, detail } = await checkCase(runtime, suite, row, variant);
      const kernel = `${suite.op.name}_${variant}`;
      const ok = worst <= 1;
      checked.push({ kernel, case: row.name, worst, ok, detail });
      if (!ok) onRow(`WRONG ${kernel} ${row.name}: ${detail}`);
    }
  }
  return checked;
}

/** Times the large rows; each is compared with its oracle first, at sampled outputs. */
export async function timeKernels(runtime: Runtime, options: KernelBenchOptions): Promise<KernelRow[]> {
  const timed: KernelRow[] = [];
  const flush = new CacheFlush(runtime);
  try {
    for (const { suite, row } of rows(options, true)) {
      const variants = runnableVariants(suite, row, runtime);
      const values = hostInputs(row, 1);
      for (const variant of options.allVariants ? variants : [undefined]) {
        if (options.signal?.aborted) return timed;
        const result = await timeCase(runtime, suite, row, { values, variant, flush }, options);
        timed.push(result);
        options.onRow(showKernelRow(result));
      }
    }
    return timed;
  } finally {
    flush.dispose();
  }
}

interface Candidate {
  readonly values: readonly (HostArray | null)[];
  /** undefined for the one that would be chosen. */
  readonly variant: string | undefined;
  readonly flush: CacheFlush;
}

async function timeCase(
  runtime: Runtime,
  suite: AnySuite,
  row: OpCase<unknown>,
  { values, variant, flush }: Candidate,
  { roofline, seconds }: KernelBenchOptions,
): Promise<KernelRow> {
  const { outputs, inputs } = buildCase(suite, row, values, variant);
  const plan = await compile(runtime, outputs);
  try {
    const first = await plan.run(inputs); // also warms up
    const { worst, detail } = compareWithOracle(suite, row, values, first.outputs, SAMPLED_OUTPUTS);
    const { dispatches } = plan.parts;
    const chosen = dispatches.at(-1)?.variant ?? "view";
    const kernel = kernelOf({ op: suite.op.name, variant: chosen });
    if (!(worst <= 1)) throw new Error(`${kernel} ${row.name} computes wrongly, so it is not timed: ${detail}`);
    const profile = runtime.capabilities.features.has("timestamp-query");
    // Arithmetic hides what the caches do, and clearing them takes a software adapter as long as a kernel.
    const cold = !runtime.capabilities.software || floored(dispatches, roofline, null).bound !== "compute";
    const samples = await collect(
      async () => {
        if (cold) await flush.run();
        const started = performance.now();
        const { timings } = await plan.run(inputs, { profile });
        return profile ? timings.reduce((sum, { ms }) => sum + ms, 0) : performance.now() - started;
      },
      { ...REPEATS, ms: 1000 * seconds },
    );
    const { median, min, p95, spread, count } = summarize(samples);
    const cost = costOf(dispatches);
    const perMs = (amount: number): number => (median > 0 ? amount / median / 1e6 : 0);
    return {
      kernel,
      op: suite.op.name,
      variant: chosen,
      case: row.name,
      msMedian: median,
      msMin: min,
      msP95: p95,
      spread,
      samples: count,
      cold,
      ...cost,
      gflops: perMs(cost.flops),
      gbps: perMs(cost.movedBytes),
      ...floored(dispatches, roofline, median),
      limit: limitOf(dispatches, roofline, median),
      worst,
    };
  } finally {
    await plan.dispose();
  }
}

const COLUMNS: readonly (readonly [title: string, width: number, show: (row: KernelRow) => string])[] = [
  ["kernel", -34, ({ kernel }) => kernel],
  ["case", -38, (row) => row.case],
  ["ms", 10, ({ msMedian }) => msMedian.toFixed(3)],
  ["p95", 10, ({ msP95 }) => msP95.toFixed(3)],
  ["floor", 9, ({ floorMs }) => floorMs?.toFixed(3) ?? "-"],
  ["%", 6, ({ percentOfFloor }) => percentOfFloor?.toFixed(1) ?? "-"],
  ["GFLOP/s", 9, ({ gflops }) => gflops.toFixed(1)],
  ["GB/s", 8, ({ gbps }) => gbps.toFixed(2)],
  ["limit", -16, ({ limit }) => ` ${limit ?? "-"}`],
];

const padded = (text: string, width: number): string => (width < 0 ? text.padEnd(-width) : text.padStart(width));
const line = (cell: (column: (typeof COLUMNS)[number]) => string): string =>
  COLUMNS.map((column) => padded(cell(column), column[1]))
    .join(" ")
    .trimEnd();

export const KERNEL_HEADER = line(([title]) => title);
export const showKernelRow = (row: KernelRow): string => line(([, , show]) => show(row));
