/** The distinct problems of graphs, as they lie in them: with the pitches and offsets of their views. */
import { layOut } from "../graph/layout.js";
import type { AnyOp, Capabilities, Problem, Variant } from "../graph/op.js";
import { problemOf, reachable } from "../graph/problem.js";
import { canRun, problemKey } from "../graph/select.js";
import type { Tensor } from "../graph/tensor.js";

/** What `compile` would be given. */
export interface TunableGraph {
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly effects?: readonly Tensor[];
}

export interface TunableProblem {
  readonly key: string;
  readonly op: AnyOp;
  readonly problem: Problem<unknown>;
  /** Bytes of the storages that its views lie in. */
  readonly storageBytes: ReadonlyMap<number, number>;
  /** Of the plain algorithm. */
  readonly flops: number;
  /** How often a run computes it. */
  readonly count: number;
}

/** Problems that have several variants, each once; the small ones first. */
export function problemsOf(graphs: readonly TunableGraph[]): TunableProblem[] {
  const found = new Map<string, TunableProblem>();
  for (const { outputs, effects = [] } of graphs) {
    const returned = Object.values(outputs);
    const nodes = reachable([...returned, ...effects]);
    const layout = layOut(nodes, returned);
    for (const node of nodes) {
      if (node.op.variants.length < 2 || node.variant !== undefined) continue;
      const problem = problemOf(node, layout);
      const key = problemKey(problem);
      const views = [...problem.inputs, ...problem.outputs].filter((view) => view !== null);
      found.set(key, {
        key,
        op: node.op,
        problem,
        storageBytes: new Map(views.map(({ storage }) => [storage, layout.storages[storage]?.bytes ?? 0])),
        flops: node.op.flops(node.inputs, node.outputs, node.attrs),
        count: (found.get(key)?.count ?? 0) + 1,
      });
    }
  }
  return [...found.values()].sort((a, b) => a.flops - b.flops || (a.key < b.key ? -1 : 1));
}

/** In order of preference. */
export const candidatesOf = ({ op, problem }: TunableProblem, capabilities: Capabilities): Variant<unknown>[] =>
  op.variants.filter((variant) => canRun(variant, problem, capabilities));
