/** Runs one case of one variant on a device and measures its error against the oracle: what tests and bench share. */
import { compile } from "../graph/compile.js";
import { layOut } from "../graph/layout.js";
import { applyAll, type Problem } from "../graph/op.js";
import type { Runtime } from "../graph/runtime.js";
import { constant, input, type Tensor } from "../graph/tensor.js";
import { type AnySuite, fillArray, type HostArray, type OpCase, tolerance } from "./suite.js";

export interface CaseResult {
  /** The largest error as a share of what the tolerance allows: over 1 is wrong. */
  readonly worst: number;
  readonly maxError: number;
  /** Where the worst element lies and what was found there, for a person. */
  readonly detail: string;
}

export const hostInputs = (row: OpCase<unknown>, seed: number): (HostArray | null)[] =>
  row.shapes.map((shape, i) => shape && fillArray(shape, seed * 31 + i, row.fill?.[i]));

/** Variants of the suite's op that accept the case on this device, in order of preference. */
export function runnableVariants(suite: AnySuite, row: OpCase<unknown>, runtime: Runtime): string[] {
  const tensors = row.shapes.map((shape, i) => shape && input(`${i}`, shape));
  const outputs = applyAll(suite.op, tensors, row.attrs);
  const node = outputs[0]?.source;
  if (node?.kind !== "node") return [];
  const layout = layOut([node.node], outputs);
  const problem: Problem<unknown> = {
    op: suite.op.name,
    attrs: row.attrs,
    inputs: tensors.map((tensor) => tensor && layout.view(tensor)),
    outputs: outputs.map((tensor) => layout.view(tensor)),
  };
  const { capabilities } = runtime;
  return suite.op.variants
    .filter((variant) => variant.features.every((feature) => capabilities.features.has(feature)))
    .filter((variant) => variant.accepts(problem, capabilities))
    .map(({ name }) => name);
}

/** The case as a graph: the first input is a run's input, the others are constants, as in a model. */
export function buildCase(
  suite: AnySuite,
  row: OpCase<unknown>,
  values: readonly (HostArray | null)[],
  variant?: string,
) {
  const tensors = values.map((value, i): Tensor | null => {
    if (!value) return null;
    return i === 0 ? input("0", value.shape) : constant(`${i}`, value.shape, Float32Array.from(value.data));
  });
  const outputs = applyAll(suite.op, tensors, row.attrs, { variant });
  const first = values[0];
  return {
    outputs: Object.fromEntries(outputs.map((tensor, i) => [`${i}`, tensor])),
    inputs: { "0": Float32Array.from(first?.data ?? []) },
  };
}

/** @throws Error when a variant cannot run at all; a wrong result is returned, not thrown */
export async function checkCase(
  runtime: Runtime,
  suite: AnySuite,
  row: OpCase<unknown>,
  variant: string,
  seed = 1,
): Promise<CaseResult> {
  const values = hostInputs(row, seed);
  const { outputs, inputs } = buildCase(suite, row, values, variant);
  const plan = await compile(runtime, outputs);
  try {
    const found = (await plan.run(inputs)).outputs;
    const expected = suite.oracle(values, row.attrs);
    let result: CaseResult = { worst: 0, maxError: 0, detail: "" };
    expected.forEach((oracle, o) => {
      const got = found[`${o}`];
      if (got?.length !== oracle.data.length)
        throw new Error(
          `${suite.op.name} ${row.name}: output ${o} has ${got?.length} values, the oracle ${oracle.data.length}`,
        );
      for (let i = 0; i < oracle.data.length; i++) {
        const error = Math.abs((got[i] ?? Number.NaN) - (oracle.data[i] ?? 0));
        const share = error / tolerance(oracle, i);
        if (share > result.worst || Number.isNaN(share)) {
          result = {
            ...result,
            worst: Number.isNaN(share) ? Number.POSITIVE_INFINITY : share,
            detail: `output ${o}[${i}] is ${got[i]}, expected ${oracle.data[i]}`,
          };
        }
        result = error > result.maxError ? { ...result, maxError: error } : result;
      }
    });
    return result;
  } finally {
    await plan.dispose();
  }
}
