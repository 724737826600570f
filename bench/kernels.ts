/** Checks kernels against their oracles, then times the large rows of the case tables with GPU timestamps. */
import { compile } from "../src/graph/compile.js";
import type { Runtime } from "../src/graph/runtime.js";
import type { DType } from "../src/graph/tensor.js";
import { buildCase, checkCase, compareWithOracle, hostInputs, runnableVariants } from "../src/kernels/check.js";
import { suites } from "../src/kernels/index.js";
import { type AnySuite, f16Rows, type OpCase } from "../src/kernels/suite.js";
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
  readonly case: string;
  readonly msMedian: number;
  readonly msP95: number;
  readonly gflops: number;
  readonly gbps: number;
  readonly samples: number;
  /** Largest error of the sampled outputs as a share of the tolerance. */
  readonly worst: number;
}

export interface KernelBenchOptions {
  readonly signal?: AbortSignal | undefined;
  /** Only kernels whose `op_variant` or case contains this. */
  readonly filter?: string | undefined;
  /** Every variant that can run, not only the one that would be chosen. */
  readonly allVariants?: boolean | undefined;
  /** f16: the rows of ops that take it, in each of their forms. */
  readonly dtype: DType;
  readonly onRow: (line: string) => void;
}

const SAMPLED_OUTPUTS = 64;
const BUDGET = { ms: 1500, least: 5, most: 50 };

function* rows(
  { filter, dtype }: KernelBenchOptions,
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

/** Every small case of every variant that this device runs. */
export async function checkKernels(runtime: Runtime, options: KernelBenchOptions): Promise<CheckRow[]> {
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
  for (const { suite, row } of rows(options, true)) {
    const variants = runnableVariants(suite, row, runtime);
    for (const variant of options.allVariants ? variants : [undefined]) {
      if (options.signal?.aborted) return timed;
      const result = await timeCase(runtime, suite, row, variant);
      timed.push(result);
      options.onRow(showKernelRow(result));
    }
  }
  return timed;
}

async function timeCase(
  runtime: Runtime,
  suite: AnySuite,
  row: OpCase<unknown>,
  variant: string | undefined,
): Promise<KernelRow> {
  const values = hostInputs(row, 1);
  const { outputs, inputs } = buildCase(suite, row, values, variant);
  const plan = await compile(runtime, outputs);
  try {
    const first = await plan.run(inputs); // also warms up
    const { worst, detail } = compareWithOracle(suite, row, values, first.outputs, SAMPLED_OUTPUTS);
    const chosen = plan.parts.dispatches.at(-1)?.variant ?? "view";
    const kernel = `${suite.op.name}_${chosen}`;
    if (!(worst <= 1)) throw new Error(`${kernel} ${row.name} computes wrongly, so it is not timed: ${detail}`);
    const profile = runtime.capabilities.features.has("timestamp-query");
    const samples = await collect(async () => {
      const started = performance.now();
      const { timings } = await plan.run(inputs, { profile });
      return profile ? timings.reduce((sum, { ms }) => sum + ms, 0) : performance.now() - started;
    }, BUDGET);
    const { median, p95, count } = summarize(samples);
    const total = (key: "flops" | "bytes"): number =>
      plan.parts.dispatches.reduce((sum, dispatch) => sum + dispatch[key], 0);
    const perMs = (amount: number): number => (median > 0 ? amount / median / 1e6 : 0);
    return {
      kernel,
      case: row.name,
      msMedian: median,
      msP95: p95,
      gflops: perMs(total("flops")),
      gbps: perMs(total("bytes")),
      samples: count,
      worst,
    };
  } finally {
    await plan.dispose();
  }
}

export const KERNEL_HEADER = `${"kernel".padEnd(30)} ${"case".padEnd(40)} ${"ms".padStart(10)} ${"p95".padStart(10)} ${"GFLOP/s".padStart(9)} ${"GB/s".padStart(8)}`;

export const showKernelRow = (row: KernelRow): string =>
  `${row.kernel.padEnd(30)} ${row.case.padEnd(40)} ${row.msMedian.toFixed(3).padStart(10)} ${row.msP95.toFixed(3).padStart(10)} ${row.gflops.toFixed(1).padStart(9)} ${row.gbps.toFixed(2).padStart(8)}`;
