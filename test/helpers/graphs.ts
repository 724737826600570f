/** Small graphs for tests: seeded inputs, a run in one line, and the numbers to expect. */
import { expect } from "vitest";
import { type CompileOptions, compile } from "../../src/graph/compile.js";
import { layOut } from "../../src/graph/layout.js";
import type { Plan } from "../../src/graph/plan.js";
import type { Runtime } from "../../src/graph/runtime.js";
import { constant, type GraphNode, type Shape, sizeOf, type Tensor } from "../../src/graph/tensor.js";
import { fillArray } from "../../src/kernels/suite.js";
import { evaluate } from "./evaluate.js";

export type Values = Readonly<Record<string, Float32Array>>;

export const values = (shape: Shape, seed = 1): Float32Array => Float32Array.from(fillArray(shape, seed).data);
export const weights = (name: string, shape: Shape, seed = 1): Tensor => constant(name, shape, values(shape, seed));

/** Every node that `outputs` need, in topological order. */
export function nodesOf(outputs: readonly Tensor[]): GraphNode[] {
  const found = new Set<GraphNode>();
  const visit = ({ source }: Tensor): void => {
    if (source.kind !== "node" || found.has(source.node)) return;
    for (const tensor of source.node.inputs) if (tensor) visit(tensor);
    found.add(source.node);
  };
  outputs.forEach(visit);
  return [...found].sort((a, b) => a.id - b.id);
}

export const layoutOf = (...outputs: Tensor[]) => layOut(nodesOf(outputs), outputs);

/** Seeded values for every input of a graph. */
export function inputValues(outputs: readonly Tensor[], seed = 7): Values {
  const tensors = [...outputs, ...nodesOf(outputs).flatMap(({ inputs }) => inputs)];
  const inputs = tensors.filter((tensor): tensor is Tensor => tensor?.source.kind === "input");
  return Object.fromEntries(inputs.map(({ name, shape }) => [name, values(shape, seed + sizeOf(shape))]));
}

export async function withPlan<T>(
  runtime: Runtime,
  outputs: Readonly<Record<string, Tensor>>,
  use: (plan: Plan) => Promise<T> | T,
  options?: CompileOptions,
): Promise<T> {
  const plan = await compile(runtime, outputs, options);
  try {
    return await use(plan);
  } finally {
    await plan.dispose();
  }
}

export const runGraph = (
  runtime: Runtime,
  outputs: Readonly<Record<string, Tensor>>,
  inputs: Values,
  options?: CompileOptions,
): Promise<Values> => withPlan(runtime, outputs, async (plan) => (await plan.run(inputs)).outputs, options);

/** Compiles, runs, and compares every output with the oracles'. @returns the number of dispatches a run makes */
export async function expectOracle(runtime: Runtime, outputs: Readonly<Record<string, Tensor>>): Promise<number> {
  const tensors = Object.values(outputs);
  const inputs = inputValues(tensors);
  const expected = evaluate(tensors, inputs);
  return withPlan(runtime, outputs, async (plan) => {
    const found = (await plan.run(inputs)).outputs;
    Object.keys(outputs).forEach((name, i) => {
      expectClose(found[name], expected[i]);
    });
    return plan.parts.dispatches.length;
  });
}

export function expectClose(
  found: ArrayLike<number> | undefined,
  expected: ArrayLike<number> | undefined,
  atol = 1e-5,
): void {
  expect(found?.length).toBe(expected?.length);
  let worst = 0;
  for (let i = 0; i < (expected?.length ?? 0); i++) {
    worst = Math.max(worst, Math.abs((found?.[i] ?? Number.NaN) - (expected?.[i] ?? 0)));
  }
  expect(worst).toBeLessThanOrEqual(atol);
}
