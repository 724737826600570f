/** A graph's nodes as problems: what variants are chosen for, when it is compiled and when it is tuned. */
import type { Layout } from "./layout.js";
import type { Problem } from "./op.js";
import type { GraphNode, Tensor } from "./tensor.js";

/** The nodes that the outputs need, in topological order. */
export function reachable(outputs: readonly Tensor[]): GraphNode[] {
  const found = new Set<GraphNode>();
  const pending = [...outputs];
  for (let tensor = pending.pop(); tensor; tensor = pending.pop()) {
    if (tensor.source.kind !== "node" || found.has(tensor.source.node)) continue;
    found.add(tensor.source.node);
    for (const x of tensor.source.node.inputs) if (x) pending.push(x);
  }
  return [...found].sort((a, b) => a.id - b.id);
}

export const problemOf = (node: GraphNode, layout: Layout): Problem<unknown> => ({
  op: node.op.name,
  attrs: node.attrs,
  inputs: node.inputs.map((tensor) => {
    if (!tensor) return null;
    return tensor.source.kind === "constant" ? { ...layout.view(tensor), constant: true } : layout.view(tensor);
  }),
  outputs: node.outputs.map((tensor) => layout.view(tensor)),
});

/** Repacking may be done once where every input but the first (the activation) is a constant. */
export const isPreparedOnce = ({ inputs }: Problem<unknown>): boolean =>
  inputs.slice(1).every((view) => view === null || view.constant === true);
