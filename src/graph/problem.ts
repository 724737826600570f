/** A graph's nodes as problems: what variants are chosen for, when it is compiled and when it is tuned. */
import type { Layout } from "./layout.js";
import { type Pass, type Problem, viewsOf } from "./op.js";
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

/** Whether `prepare` passes run once, before the first run: where all that they read is constant. */
export const isPreparedOnce = (prepare: readonly Pass[]): boolean =>
  prepare.length > 0 && prepare.flatMap(viewsOf).every((view) => view.constant === true);
