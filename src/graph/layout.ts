/**
 * Gives every tensor its place in a storage. Concatenations, slices and reshapes move no data: the producers of a
 * concatenation write straight into the joined storage with a channel offset and a pitch, a slice reads from it.
 * Where that cannot be (two concatenations want one tensor, a dispatch would read the storage that it writes), the
 * tensor keeps a storage of its own and the view op's only variant copies it.
 */
import type { TensorView } from "./op.js";
import { bytesOf, type GraphNode, sizeOf, type Tensor } from "./tensor.js";

export interface StorageInfo {
  readonly id: number;
  readonly label: string;
  readonly bytes: number;
  /** Set for storages that hold a run's input, a constant or a variable. */
  readonly source: Tensor | null;
}

export interface Layout {
  readonly storages: readonly StorageInfo[];
  view(tensor: Tensor): TensorView;
}

/**
 * Places freely, then takes out of its concatenation whatever a dispatch would read and write at once.
 * @param nodes in topological order
 */
export function layOut(nodes: readonly GraphNode[], outputs: readonly Tensor[]): Layout {
  const alone = new Set(outputs);
  for (;;) {
    const layout = place(nodes, outputs, alone);
    const conflict = firstConflict(nodes, layout);
    if (!conflict) return layout;
    if (alone.has(conflict)) throw new Error(`layout: ${conflict.name} conflicts in a storage of its own`);
    alone.add(conflict);
  }
}

/** @param alone tensors that need a storage of their own */
function place(nodes: readonly GraphNode[], outputs: readonly Tensor[], alone: ReadonlySet<Tensor>): Layout {
  const views = new Map<Tensor, TensorView>();
  const storages: StorageInfo[] = [];

  const ownStorage = (tensor: Tensor): TensorView => {
    const view = {
      ...specOf(tensor),
      pitch: tensor.shape.at(-1) ?? 1,
      offset: 0,
      storage: storages.length,
      base: null,
    };
    const source = tensor.source.kind === "node" ? null : tensor;
    storages.push({
      id: view.storage,
      label: tensor.name,
      bytes: sizeOf(tensor.shape) * bytesOf(tensor.dtype),
      source,
    });
    views.set(tensor, view);
    return view;
  };

  // Consumers first, so that a concatenation has its place before its members take theirs inside it.
  for (const node of nodes.toReversed()) {
    if (isAlias(node)) continue; // placed below, once their input has its place
    for (const tensor of node.outputs) if (!views.has(tensor) && !overwrittenBy(node, tensor)) ownStorage(tensor);
    for (const { tensor, view } of membersOf(node, (output) => views.get(output))) {
      const { source } = tensor;
      if (source.kind !== "node" || isAlias(source.node) || overwrittenBy(source.node, tensor)) continue;
      if (!views.has(tensor) && !alone.has(tensor)) views.set(tensor, view);
    }
  }
  for (const node of nodes) {
    for (const tensor of node.inputs) if (tensor && !views.has(tensor)) ownStorage(tensor);
    for (const tensor of node.outputs) {
      if (views.has(tensor)) continue;
      const overwritten = overwrittenBy(node, tensor);
      if (overwritten) {
        views.set(tensor, views.get(overwritten) ?? ownStorage(overwritten));
        continue;
      }
      const alias = alone.has(tensor) ? null : aliasOf(node, tensor, views);
      if (alias) views.set(tensor, alias);
      else ownStorage(tensor);
    }
  }
  for (const tensor of outputs) if (!views.has(tensor)) ownStorage(tensor);
  return {
    storages,
    view(tensor) {
      const view = views.get(tensor);
      if (!view) throw new Error(`layout: tensor ${tensor.name} is not part of the graph`);
      return view;
    },
  };
}

const isAlias = ({ op }: GraphNode): boolean => op.view === "slice" || op.view === "reshape" || op.view === "part";
/** Whether a node's inputs lie inside its output. */
const isJoin = ({ op }: GraphNode): boolean => op.view === "concat" || op.view === "pack";

/** The variable that an output overwrites. */
function overwrittenBy({ op, inputs, outputs }: GraphNode, output: Tensor): Tensor | null {
  const index = op.inPlace?.[outputs.indexOf(output)] ?? null;
  const overwritten = index === null ? null : (inputs[index] ?? null);
  if (overwritten && overwritten.source.kind !== "variable") {
    throw new Error(`${op.name}: overwrites ${overwritten.name}, which is not a variable`);
  }
  return overwritten;
}

/** The inputs of a concatenation or pack with their places in the joined tensor; none of other nodes. */
function membersOf(node: GraphNode, viewOf: (tensor: Tensor) => TensorView | undefined) {
  const { op, inputs, outputs, attrs } = node;
  const joined = outputs[0] && viewOf(outputs[0]);
  if (!isJoin(node) || !joined) return [];
  if (op.view === "pack") {
    const { starts } = attrs as { readonly starts: readonly number[] };
    return inputs.flatMap((tensor, i) => (tensor ? [{ tensor, view: partOf(joined, tensor, starts[i] ?? 0) }] : []));
  }
  let { offset } = joined;
  return inputs.flatMap((tensor) => {
    if (!tensor) return [];
    const view: TensorView = { ...joined, ...specOf(tensor), offset };
    offset += tensor.shape.at(-1) ?? 0;
    return [{ tensor, view }];
  });
}

/**
 * A member of a concatenation that must leave it: a dispatch may not read and write one storage, nor write it through
 * two bindings. In both cases the tensor named is a member, for whatever else lies in a storage comes after it.
 */
function firstConflict(nodes: readonly GraphNode[], { view }: Layout): Tensor | undefined {
  for (const node of nodes) {
    if (isAlias(node)) continue;
    for (const { tensor, view: wanted } of membersOf(node, view)) {
      const { storage, offset, pitch, base } = view(tensor);
      if (storage !== wanted.storage) continue;
      if (offset !== wanted.offset || pitch !== wanted.pitch || base !== wanted.base) return ownerOf(tensor);
    }
    if (isJoin(node)) continue;
    const read = new Set(node.inputs.flatMap((tensor) => (tensor ? [view(tensor).storage] : [])));
    const written = new Map<number, number | null>();
    for (const tensor of node.outputs) {
      if (overwrittenBy(node, tensor)) continue;
      const { storage, base } = view(tensor);
      if (read.has(storage)) return tensor;
      // Two parts of a pack may be written at once: each is bound by itself.
      if (written.has(storage) && (base === null || base === written.get(storage))) return tensor;
      written.set(storage, base);
    }
  }
  return undefined;
}

/** The tensor whose memory a slice or reshape shows. */
function ownerOf(tensor: Tensor): Tensor {
  const { source } = tensor;
  const shown = source.kind === "node" && isAlias(source.node) ? source.node.inputs[0] : null;
  return shown ? ownerOf(shown) : tensor;
}

function aliasOf(node: GraphNode, output: Tensor, views: ReadonlyMap<Tensor, TensorView>): TensorView | null {
  const source = node.inputs[0];
  const view = source ? views.get(source) : undefined;
  if (!view) return null;
  if (node.op.view === "part") {
    const { start } = node.attrs as { readonly start: number };
    return view.base === null && view.offset === 0 ? partOf(view, output, start) : null;
  }
  if (node.op.view === "slice") {
    const { start } = node.attrs as { readonly start: number };
    return { ...view, shape: output.shape, offset: view.offset + start };
  }
  const dense = view.offset === 0 && view.pitch === view.shape.at(-1);
  if (node.op.view !== "reshape" || !dense) return null;
  return { ...view, shape: output.shape, pitch: output.shape.at(-1) ?? 1 };
}

/** A tensor that lies densely from element `start` of a packed one. */
const partOf = ({ storage }: TensorView, tensor: Tensor, start: number): TensorView => ({
  ...specOf(tensor),
  pitch: tensor.shape.at(-1) ?? 1,
  offset: 0,
  storage,
  base: start,
});

const specOf = ({ shape, dtype }: Tensor) => ({ shape, dtype });
