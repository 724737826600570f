/**
 * Reverse-mode differentiation from graph to graph: walks the nodes backwards and asks each op's `vjp` for ordinary
 * nodes. What comes out is a graph like any other: compiled, planned, profiled and tested as one.
 */
import { ShapeError } from "../errors.js";
import { constant, type GraphNode, type IdRange, sameShape, showShape, sizeOf, type Tensor } from "../graph/tensor.js";
import { add } from "../kernels/elementwise/op.js";
import { Recomputation } from "./recompute.js";

/**
 * @param loss a single value
 * @param wrt what to differentiate by: variables, inputs, or anything between
 * @returns the gradient of each tensor of `wrt`, of its shape
 * @throws ShapeError for a loss of more than one value; Error where the loss does not depend on a tensor of `wrt`
 */
export function backward(loss: Tensor, wrt: readonly Tensor[]): Map<Tensor, Tensor> {
  if (sizeOf(loss.shape) !== 1)
    throw new ShapeError(`backward: the loss must be one value, got ${showShape(loss.shape)}`);
  const one = constant("one", loss.shape, new Float32Array(1).fill(1));
  return gradients(new Map([[loss, one]]), wrt);
}

export interface GradientOptions {
  /** Parts of the graph whose activations are computed again rather than kept (autograd/recompute.ts). */
  readonly recompute?: readonly IdRange[];
}

/** Vector-Jacobian products: `seeds` holds the gradient of some tensors; those of `wrt` follow from them. */
export function gradients(
  seeds: ReadonlyMap<Tensor, Tensor>,
  wrt: readonly Tensor[],
  { recompute = [] }: GradientOptions = {},
): Map<Tensor, Tensor> {
  const nodes = ancestors([...seeds.keys()]);
  const recomputation = new Recomputation(nodes, recompute);
  const needed = dependents(nodes, wrt);
  const found = new Map<Tensor, Tensor>();
  const accumulate = (tensor: Tensor, gradient: Tensor, by: string): void => {
    if (!sameShape(tensor.shape, gradient.shape)) {
      throw new Error(
        `${by}: the gradient of ${tensor.name} is ${showShape(gradient.shape)}, it should be ${showShape(tensor.shape)}`,
      );
    }
    const sofar = found.get(tensor);
    found.set(tensor, sofar ? add(sofar, gradient, { name: `grad ${tensor.name}` }) : gradient);
  };
  for (const [tensor, seed] of seeds) accumulate(tensor, seed, "seed");
  for (const node of nodes.toReversed()) {
    const dy = node.outputs.map((output) => found.get(output) ?? null);
    const needs = node.inputs.map((x) => x !== null && needed.has(x));
    if (dy.every((gradient) => gradient === null) || !needs.includes(true)) continue;
    if (!node.op.vjp) throw new Error(`${node.op.name} has no gradient (on the way to ${node.outputs[0]?.name})`);
    recomputation.enter(node);
    const inputs = node.inputs.map((x) => x && recomputation.of(x));
    const outputs = node.outputs.map((y) => recomputation.of(y));
    const claimed = new Set<number>();
    const claim = (i: number): Tensor | null => {
      const x = node.inputs[i];
      const sofar = x && needs[i] ? (found.get(x) ?? null) : null;
      if (!x || !sofar) return null;
      claimed.add(i);
      found.delete(x);
      return sofar;
    };
    node.op.vjp({ inputs, outputs, attrs: node.attrs, needs, claim }, dy).forEach((gradient, i) => {
      const x = node.inputs[i];
      if (claimed.has(i) && !gradient) throw new Error(`${node.op.name}: claimed a gradient and returned none`);
      if (x && gradient && needs[i]) accumulate(x, gradient, node.op.name);
    });
  }
  return new Map(
    wrt.map((tensor) => {
      const gradient = found.get(tensor);
      if (!gradient) throw new Error(`backward: the loss does not depend on ${tensor.name}`);
      return [tensor, gradient];
    }),
  );
}

/** Nodes that the tensors depend on, in topological order. */
function ancestors(tensors: readonly Tensor[]): GraphNode[] {
  const found = new Set<GraphNode>();
  const pending = [...tensors];
  for (let tensor = pending.pop(); tensor; tensor = pending.pop()) {
    if (tensor.source.kind !== "node" || found.has(tensor.source.node)) continue;
    found.add(tensor.source.node);
    for (const x of tensor.source.node.inputs) if (x) pending.push(x);
  }
  return [...found].sort((a, b) => a.id - b.id);
}

/** Tensors that depend on `wrt`, these counted in. */
function dependents(nodes: readonly GraphNode[], wrt: readonly Tensor[]): Set<Tensor> {
  const needed = new Set(wrt);
  for (const { inputs, outputs } of nodes) {
    if (inputs.some((x) => x !== null && needed.has(x))) for (const output of outputs) needed.add(output);
  }
  return needed;
}
