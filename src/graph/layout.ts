/**
 * Gives every tensor its place in a storage. Concatenations, slices and reshapes move no data: the producers of a
 * concatenation write straight into the joined storage with a channel offset and a pitch, a slice reads from it.
 * Where that cannot be (two concatenations want one tensor, a dispatch would read the storage that it writes), the
 * tensor keeps a storage of its own and the view op's only variant copies it.
 */
import type { TensorView } from "./op.js";
import { type GraphNode, sizeOf, type Tensor } from "./tensor.js";

export interface StorageInfo {
  readonly id: number;
  readonly label: string;
  readonly bytes: number;
  /** Set for storages that hold a run's input or a constant. */
  readonly source: Tensor | null;
}

export interface Layout {
  readonly storages: readonly StorageInfo[];
  view(tensor: Tensor): TensorView;
}

/** @param nodes in topological order */
export function layOut(nodes: readonly GraphNode[], outputs: readonly Tensor[]): Layout {
  const views = new Map<Tensor, TensorView>();
  const storages: StorageInfo[] = [];
  const keepDense = new Set(outputs);
  const members = new Map<number, Tensor[]>();

  const ownStorage = (tensor: Tensor): TensorView => {
    const view = { ...specOf(tensor), pitch: tensor.shape.at(-1) ?? 1, offset: 0, storage: storages.length };
    const source = tensor.source.kind === "node" ? null : tensor;
    storages.push({ id: view.storage, label: tensor.name, bytes: sizeOf(tensor.shape) * bytesPerElement(tensor), source });
    views.set(tensor, view);
    return view;
  };

  for (const node of nodes.toReversed()) {
    if (node.op.view === "slice" || node.op.view === "reshape") continue; // placed below, once their input has its place
    for (const tensor of node.outputs) if (!views.has(tensor)) ownStorage(tensor);
    if (node.op.view !== "concat") continue;
    const joined = views.get(node.outputs[0] as Tensor) as TensorView;
    let channel = 0;
    for (const tensor of node.inputs) {
      if (!tensor) continue;
      const inside = members.get(joined.storage) ?? [];
      if (!views.has(tensor) && !keepDense.has(tensor) && canPlace(tensor, inside)) {
        views.set(tensor, { ...specOf(tensor), pitch: joined.pitch, offset: joined.offset + channel, storage: joined.storage });
        members.set(joined.storage, [...inside, tensor]);
      }
      channel += tensor.shape.at(-1) ?? 0;
    }
  }
  for (const node of nodes) {
    for (const tensor of node.inputs) if (tensor && !views.has(tensor)) ownStorage(tensor);
    for (const tensor of node.outputs) {
      if (views.has(tensor)) continue;
      const alias = keepDense.has(tensor) ? null : aliasOf(node, tensor, views);
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

/** A producer may write into a joined storage unless a dispatch would then read and write it at once. */
function canPlace(tensor: Tensor, inside: readonly Tensor[]): boolean {
  if (tensor.source.kind !== "node") return false;
  const { op, inputs } = tensor.source.node;
  if (op.view === "slice" || op.view === "reshape") return false;
  const reads = (reader: Tensor, read: Tensor): boolean => reader.source.kind === "node" && dependsDirectly(reader.source.node, read);
  return !inside.some((member) => inputs.some((x) => x !== null && resolves(x, member)) || reads(member, tensor));
}

const dependsDirectly = (node: GraphNode, tensor: Tensor): boolean =>
  node.inputs.some((x) => x !== null && resolves(x, tensor));

/** Whether `x` is `tensor`, or a view of it. */
function resolves(x: Tensor, tensor: Tensor): boolean {
  if (x === tensor) return true;
  return x.source.kind === "node" && x.source.node.op.view !== undefined && dependsDirectly(x.source.node, tensor);
}

function aliasOf(node: GraphNode, output: Tensor, views: ReadonlyMap<Tensor, TensorView>): TensorView | null {
  const source = node.inputs[0];
  const view = source ? views.get(source) : undefined;
  if (!view) return null;
  if (node.op.view === "slice") {
    const { start } = node.attrs as { readonly start: number };
    return { ...view, shape: output.shape, offset: view.offset + start };
  }
  const dense = view.offset === 0 && view.pitch === view.shape.at(-1);
  if (node.op.view !== "reshape" || !dense) return null;
  return { ...view, shape: output.shape, pitch: output.shape.at(-1) ?? 1 };
}

const specOf = ({ shape, dtype }: Tensor) => ({ shape, dtype });
const bytesPerElement = ({ dtype }: Tensor): number => (dtype === "f16" ? 2 : 4);
