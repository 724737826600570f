/**
 * Activations computed a second time in the backward pass instead of kept from the forward one: memory for time. A
 * segment is what was built in a range of ids; its nodes are cloned when the backward pass first reaches it, so that the
 * planner frees the originals after their last forward use. Clones that no gradient reads are never reached.
 */
import { applyAll } from "../graph/op.js";
import type { GraphNode, IdRange, Tensor } from "../graph/tensor.js";

export class Recomputation {
  private readonly clones = new Map<Tensor, Tensor>();
  private readonly done = new Set<IdRange>();

  /** @param nodes of the whole graph, in topological order */
  constructor(
    private readonly nodes: readonly GraphNode[],
    private readonly segments: readonly IdRange[],
  ) {}

  /** Called before a node is differentiated. */
  enter(node: GraphNode): void {
    const segment = this.segments.find((range) => contains(range, node));
    if (!segment || this.done.has(segment)) return;
    this.done.add(segment);
    for (const original of this.nodes.filter((candidate) => contains(segment, candidate))) {
      const { op, inputs, attrs, outputs, variant } = original;
      const name = outputs[0] && `${outputs[0].name} again`;
      const again = applyAll(
        op,
        inputs.map((x) => x && this.of(x)),
        attrs,
        { variant, ...(name && { name }) },
      );
      outputs.forEach((output, i) => {
        const clone = again[i];
        if (clone) this.clones.set(output, clone);
      });
    }
  }

  /** The tensor that the backward pass reads in place of a forward one. */
  of(tensor: Tensor): Tensor {
    return this.clones.get(tensor) ?? tensor;
  }
}

const contains = ({ from, to }: IdRange, { id }: GraphNode): boolean => id >= from && id < to;
