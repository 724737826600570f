/** Computes a graph in float64 with the ops' oracles: what any plan of it must answer. */
import { sizeOf, type Tensor } from "../../src/graph/tensor.js";
import { suites } from "../../src/kernels/index.js";
import type { HostArray } from "../../src/kernels/suite.js";

/** @param inputs values by input name */
export function evaluate(outputs: readonly Tensor[], inputs: Readonly<Record<string, Float32Array>>): Float64Array[] {
  const known = new Map<Tensor, HostArray>();
  const resolve = (tensor: Tensor): HostArray => {
    const value = known.get(tensor) ?? compute(tensor);
    known.set(tensor, value);
    return value;
  };
  const compute = ({ name, shape, source }: Tensor): HostArray => {
    if (source.kind === "constant") return { shape, data: Float64Array.from(source.constant.load()) };
    if (source.kind === "variable") return { shape, data: Float64Array.from(source.variable.initial()) };
    if (source.kind === "input") return { shape, data: Float64Array.from(inputs[name] ?? []) };
    const { op, attrs } = source.node;
    const suite = suites.find((candidate) => candidate.op === op);
    if (!suite) throw new Error(`evaluate: ${op.name} has no suite`);
    const found = suite.oracle(
      source.node.inputs.map((tensor) => tensor && resolve(tensor)),
      attrs,
    )[source.index];
    if (!found) throw new Error(`evaluate: ${op.name} has no output ${source.index}`);
    return { shape, data: Float64Array.from({ length: sizeOf(shape) }, (_, i) => found.element(i)[0]) };
  };
  return outputs.map((tensor) => resolve(tensor).data);
}
