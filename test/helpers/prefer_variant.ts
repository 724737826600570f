/** Takes one variant wherever it can run, whatever the heuristics and tables say. */
import { layOut } from "../../src/graph/layout.js";
import type { Capabilities } from "../../src/graph/op.js";
import { problemOf, reachable } from "../../src/graph/problem.js";
import type { Tensor } from "../../src/graph/tensor.js";

/** @returns the number of nodes of the graph that it was written to */
export function preferVariant(
  outputs: readonly Tensor[],
  ops: readonly string[],
  name: string,
  capabilities: Capabilities,
): number {
  const nodes = reachable(outputs);
  const layout = layOut(nodes, outputs);
  let count = 0;
  for (const node of nodes) {
    if (!ops.includes(node.op.name)) continue;
    const variant = node.op.variants.find((candidate) => candidate.name === name);
    if (!variant?.accepts(problemOf(node, layout), capabilities)) continue;
    Object.assign(node, { variant: name });
    count++;
  }
  return count;
}
