/** Runs one case of one variant on a device and measures its error against the oracle: what tests and bench share. */
import { compile } from "../graph/compile.js";
import { layOut } from "../graph/layout.js";
import { applyAll, type Problem } from "../graph/op.js";
import type { Runtime } from "../graph/runtime.js";
import { canRun } from "../graph/select.js";
import { constant, type DType, input, sizeOf, type Tensor, variable } from "../graph/tensor.js";
import { mulberry32 } from "../random.js";
import { type AnySuite, f16Tolerance, fillArray, type HostArray, type OpCase, roundToF16, tolerance } from "./suite.js";

export interface CaseResult {
  /** The largest error as a share of what the tolerance allows: over 1 is wrong. */
  readonly worst: number;
  readonly maxError: number;
  /** Where the worst element lies and what was found there, for a person. */
  readonly detail: string;
}

export const hostInputs = (row: OpCase<unknown>, seed: number): (HostArray | null)[] =>
  row.shapes.map((shape, i) => {
    const values = shape && fillArray(shape, seed * 31 + i, row.fill?.[i]);
    return values && storedAs(row, i) === "f16" ? roundToF16(values) : values;
  });

const storedAs = ({ stored }: OpCase<unknown>, index: number): DType => stored?.[index] ?? "f32";

/** Whether the op changes input `index` in place: then it must be a variable. */
export const isOverwritten = ({ op }: AnySuite, index: number): boolean => op.inPlace?.includes(index) ?? false;

/** Variants of the suite's op that accept the case on this device, in order of preference. */
export function runnableVariants(suite: AnySuite, row: OpCase<unknown>, { capabilities }: Runtime): string[] {
  const problem = caseProblem(suite, row);
  return suite.op.variants.filter((variant) => canRun(variant, problem, capabilities)).map(({ name }) => name);
}

/** The problem that a case is, its tensors stored as the row says. */
export function caseProblem(suite: AnySuite, row: OpCase<unknown>): Problem<unknown> {
  const tensors = row.shapes.map((shape, i) => {
    if (!shape) return null;
    return isOverwritten(suite, i)
      ? variable(`${i}`, shape, () => new Float32Array(sizeOf(shape)))
      : input(`${i}`, shape, storedAs(row, i));
  });
  const outputs = applyAll(suite.op, tensors, row.attrs);
  const nodes = outputs.flatMap(({ source }) => (source.kind === "node" ? [source.node] : []));
  const layout = layOut(nodes.slice(0, 1), outputs);
  return {
    op: suite.op.name,
    attrs: row.attrs,
    inputs: tensors.map((tensor) => tensor && layout.view(tensor)),
    outputs: outputs.map((tensor) => layout.view(tensor)),
  };
}

/** The case as a graph: what the op overwrites is a variable; of the others the first is a run's input, as in a model. */
export function buildCase(
  suite: AnySuite,
  row: OpCase<unknown>,
  values: readonly (HostArray | null)[],
  variant?: string,
) {
  const tensors = values.map((value, i): Tensor | null => {
    if (!value) return null;
    const data = Float32Array.from(value.data);
    if (isOverwritten(suite, i)) return variable(`${i}`, value.shape, () => data);
    const dtype = storedAs(row, i);
    return i === 0 ? input("0", value.shape, dtype) : constant(`${i}`, value.shape, data, dtype);
  });
  const outputs = applyAll(suite.op, tensors, row.attrs, { variant });
  const first = values[0];
  return {
    outputs: Object.fromEntries(outputs.map((tensor, i) => [`${i}`, tensor])),
    inputs: { "0": Float32Array.from(first?.data ?? []) },
  };
}

/** Outputs with more elements than this are checked at a random sample of as many. */
const MAX_CHECKED = 65536;

/**
 * @param maxChecked elements of each output that are compared; large rows of a convolution take few, for an element
 *   costs the oracle a whole sum
 * @throws Error when a variant cannot run at all; a wrong result is returned, not thrown
 */
export async function checkCase(
  runtime: Runtime,
  suite: AnySuite,
  row: OpCase<unknown>,
  variant: string,
  { seed = 1, maxChecked = MAX_CHECKED }: { readonly seed?: number; readonly maxChecked?: number } = {},
): Promise<CaseResult> {
  const values = hostInputs(row, seed);
  const { outputs, inputs } = buildCase(suite, row, values, variant);
  const plan = await compile(runtime, outputs);
  try {
    const found = (await plan.run(inputs)).outputs;
    return compareWithOracle(suite, row, values, found, maxChecked);
  } finally {
    await plan.dispose();
  }
}

export function compareWithOracle(
  suite: AnySuite,
  row: OpCase<unknown>,
  values: readonly (HostArray | null)[],
  found: Readonly<Record<string, Float32Array>>,
  maxChecked = MAX_CHECKED,
): CaseResult {
  let result: CaseResult = { worst: 0, maxError: 0, detail: "" };
  const results = suite.op.infer(
    row.shapes.map((shape, i) => shape && { shape, dtype: storedAs(row, i) }),
    row.attrs,
  );
  suite.oracle(values, row.attrs).forEach((oracle, o) => {
    const got = found[`${o}`];
    const size = sizeOf(oracle.shape);
    if (got?.length !== size)
      throw new Error(`${suite.op.name} ${row.name}: output ${o} has ${got?.length} values, the oracle ${size}`);
    for (const i of indicesToCheck(size, maxChecked)) {
      const [expected, magnitude] = oracle.element(i);
      if (magnitude === Number.POSITIVE_INFINITY) continue;
      const error = Math.abs((got[i] ?? Number.NaN) - expected);
      const allowed =
        results[o]?.dtype === "f16" ? f16Tolerance(oracle, expected, magnitude) : tolerance(oracle, magnitude);
      const share = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error / allowed;
      if (share > result.worst)
        result = { ...result, worst: share, detail: `output ${o}[${i}] is ${got[i]}, expected ${expected}` };
      if (error > result.maxError) result = { ...result, maxError: error };
    }
  });
  return result;
}

/** All indices, or a seeded sample that always holds the first and the last. */
export function indicesToCheck(size: number, most: number): Iterable<number> {
  if (size <= most) return Array.from({ length: size }, (_, i) => i);
  const random = mulberry32(size);
  return new Set([0, size - 1, ...Array.from({ length: most - 2 }, () => Math.floor(random() * size))]);
}
