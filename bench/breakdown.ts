/** A profiled run by op and variant, and by node. */
import type { PassTiming } from "../src/graph/plan.js";
import { type Cost, costOf, type Floored, floored, limitOf } from "./floors.js";
import type { Roofline } from "./roofline/roofline.js";

export interface KernelShare extends Cost, Floored {
  readonly kernel: string;
  /** Passes. */
  readonly count: number;
  readonly nodes: number;
  readonly ms: number;
  readonly gflops: number;
  readonly gbps: number;
  /** Of the nodes that take most of its time. */
  readonly limit: string | null;
}

/** The passes of each node, in the order of the nodes' first passes. */
export function byNode(passes: readonly PassTiming[]): PassTiming[][] {
  const nodes = new Map<number, PassTiming[]>();
  for (const pass of passes) {
    const found = nodes.get(pass.nodeId);
    if (found) found.push(pass);
    else nodes.set(pass.nodeId, [pass]);
  }
  return [...nodes.values()];
}

export const msOf = (passes: readonly PassTiming[]): number => passes.reduce((sum, { ms }) => sum + ms, 0);
export const kernelOf = ({ op, variant }: Pick<PassTiming, "op" | "variant">): string => `${op}_${variant}`;

/** Passes by op and variant (of several passes where it has them), the costliest first; GFLOP/s of the plain algorithm. */
export function byKernel(passes: readonly PassTiming[], roofline: Roofline | null): KernelShare[] {
  const kernels = new Map<string, PassTiming[][]>();
  for (const node of byNode(passes)) {
    const [first] = node;
    if (!first) continue;
    const kernel = kernelOf(first);
    kernels.set(kernel, [...(kernels.get(kernel) ?? []), node]);
  }
  return [...kernels]
    .map(([kernel, nodes]): KernelShare => {
      const all = nodes.flat();
      const ms = msOf(all);
      const cost = costOf(all);
      return {
        kernel,
        count: all.length,
        nodes: nodes.length,
        ms,
        gflops: ms > 0 ? cost.flops / ms / 1e6 : 0,
        gbps: ms > 0 ? cost.movedBytes / ms / 1e6 : 0,
        ...cost,
        ...floored(all, roofline, ms),
        limit: mostOf(nodes, roofline),
      };
    })
    .sort((a, b) => b.ms - a.ms);
}

/** The limit that stands over most of the time. */
function mostOf(nodes: readonly PassTiming[][], roofline: Roofline | null): string | null {
  const limits = new Map<string, { ms: number; most: number; shown: string }>();
  for (const node of nodes) {
    const ms = msOf(node);
    const limit = limitOf(node, roofline, ms);
    if (limit === null) continue;
    const kind = limit.split(" ")[0] ?? limit;
    const before = limits.get(kind) ?? { ms: 0, most: 0, shown: limit };
    const shown = ms > before.most ? limit : before.shown;
    limits.set(kind, { ms: before.ms + ms, most: Math.max(before.most, ms), shown });
  }
  const [heaviest] = [...limits.values()].sort((a, b) => b.ms - a.ms);
  return heaviest?.shown ?? null;
}
