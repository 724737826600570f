/** Takes one variant wherever it can run, whatever the heuristics and tables say. */
import { layOut } from "../../src/graph/layout.js";
import type { Capabilities } from "../../src/graph/op.js";
import type { GraphNode, Tensor } from "../../src/graph/tensor.js";

/** @returns the number of nodes of the graph that it was written to */
export function preferVariant(
  outputs: readonly Tensor[],
  ops: readonly string[],
  name: string,
  capabilities: Capabilities,
): number {
  const nodes = nodesOf(outputs);
  const layout = layOut(nodes, outputs);
  let count = 0;
  for (const node of nodes) {
    if (!ops.includes(node.op.name)) continue;
    const variant = node.op.variants.find((candidate) => candidate.name === name);
    const problem = {
      op: node.op.name,
      attrs: node.attrs,
      inputs: node.inputs.map((tensor) => tensor && layout.view(tensor)),
      outputs: node.outputs.map((tensor) => layout.view(tensor)),
    };
    if (!variant?.accepts(problem, capabilities)) continue;
    Object.assign(node, { variant: name });
    count++;
  }
  return count;
}

function nodesOf(outputs: readonly Tensor[]): GraphNode[] {
  const found = new Set<GraphNode>();
  const pending = [...outputs];
  for (let tensor = pending.pop(); tensor; tensor = pending.pop()) {
    if (tensor.source.kind !== "node" || found.has(tensor.source.node)) continue;
    found.add(tensor.source.node);
    for (const x of tensor.source.node.inputs) if (x) pending.push(x);
  }
  return [...found].sort((a, b) => a.id - b.id);
}
