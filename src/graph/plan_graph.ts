/**
 * Everything that is decided of a graph before the device is asked for anything: its nodes in order, their places in
 * storages, a variant for each, what runs once and what every time, and which storages share a buffer.
 */
import type { TuningTable } from "../tuning/table.js";
import { alignBytes } from "./dispatch.js";
import { checkDtype } from "./elements.js";
import { type Layout, layOut, type StorageInfo } from "./layout.js";
import { type BufferPlan, type Lifetime, lowerBound, planBuffers } from "./memory_plan.js";
import { type NodePlan, type Pass, type Scratch, scratchOf, viewsOf } from "./op.js";
import { isPreparedOnce, problemOf, reachable } from "./problem.js";
import type { Runtime } from "./runtime.js";
import { problemKey, type SelectOptions, select } from "./select.js";
import type { GraphNode, Tensor } from "./tensor.js";

export interface PlanOptions extends Pick<SelectOptions, "force"> {
  /** Measured choices that win over the runtime's tables; "off" leaves those out too: the heuristics alone decide. */
  readonly tuning?: TuningTable | "off" | undefined;
  /** false gives every tensor its own buffer, to tell a planning fault from a kernel's. */
  readonly planMemory?: boolean;
  /** Tensors that a run computes and does not return: updates of variables. */
  readonly effects?: readonly Tensor[];
}

export interface Step {
  readonly node: GraphNode;
  readonly variant: string;
  readonly plan: NodePlan;
  readonly key: string;
}

export interface GraphPlan {
  /** In order of execution. */
  readonly nodes: readonly GraphNode[];
  readonly layout: Layout;
  readonly steps: readonly Step[];
  /** Of each step, whether its `prepare` passes run once, before the first run. */
  readonly prepared: readonly boolean[];
  /** What a run dispatches. */
  readonly passes: readonly { readonly step: Step; readonly pass: Pass }[];
  /** What those passes leave for every run. */
  readonly persistent: ReadonlySet<Scratch>;
  readonly activations: ActivationPlan;
}

/** Everything that can be decided before the device is asked for anything. */
export function planGraph(
  runtime: Runtime,
  outputs: Readonly<Record<string, Tensor>>,
  options: PlanOptions,
): GraphPlan {
  const { planMemory = true, effects = [] } = options;
  const nodes = reachable([...Object.values(outputs), ...effects]);
  for (const node of nodes)
    for (const tensor of [...node.inputs, ...node.outputs]) if (tensor) checkDtype(runtime, tensor.dtype);
  const layout = layOut(nodes, Object.values(outputs));
  const steps = nodes.map((node) => planNode(runtime, node, layout, options));

  const prepared = steps.map(({ plan }) => isPreparedOnce(plan.prepare ?? []));
  const passes = steps.flatMap((step, index) => {
    const inRun = prepared[index] ? step.plan.passes : [...(step.plan.prepare ?? []), ...step.plan.passes];
    return inRun.map((pass) => ({ step, pass }));
  });
  const persistent = new Set(
    steps.flatMap((step, i) => (prepared[i] ? (step.plan.prepare ?? []).flatMap(scratchOf) : [])),
  );
  const activations = planActivations(
    layout,
    passes.map(({ pass }) => pass),
    Object.values(outputs),
    persistent,
    planMemory,
  );
  return { nodes, layout, steps, prepared, passes, persistent, activations };
}

/** Bytes that a compiled graph holds on the device; buffers are shared by liveness. */
export interface PlannedMemory {
  /** Activations and scratch together. */
  readonly activationBytes: number;
  /** The most scratch alive at once; part of `activationBytes` unless it fits where activations have died. */
  readonly scratchBytes: number;
  /** Constants in the form that runs read, and variables. */
  readonly weightBytes: number;
}

/** What `compile` would take, without allocating anything or compiling a shader. */
export function plannedMemory(
  runtime: Runtime,
  outputs: Readonly<Record<string, Tensor>>,
  options: PlanOptions = {},
): PlannedMemory {
  const { layout, passes, persistent, activations } = planGraph(runtime, outputs, options);
  const held = new Map<number | Scratch, number>();
  for (const { id, source, bytes } of layout.storages) if (source?.source.kind === "variable") held.set(id, bytes);
  for (const { pass } of passes) {
    for (const { storage } of viewsOf(pass)) {
      const { source, bytes = 0 } = layout.storages[storage] ?? {};
      if (source?.source.kind === "constant") held.set(storage, bytes);
    }
    for (const piece of scratchOf(pass)) if (persistent.has(piece)) held.set(piece, piece.bytes);
  }
  return { ...activationBytesOf(activations), weightBytes: [...held.values()].reduce((sum, bytes) => sum + bytes, 0) };
}

export const activationBytesOf = ({ keys, lifetimes, plan }: ActivationPlan) => ({
  activationBytes: plan.bufferBytes.reduce((sum, bytes) => sum + bytes, 0),
  scratchBytes: lowerBound(lifetimes.filter((_, i) => typeof keys[i] !== "number")),
});

function planNode(runtime: Runtime, node: GraphNode, layout: Layout, { force, tuning }: PlanOptions): Step {
  const problem = problemOf(node, layout);
  const forced = node.variant ?? force?.[node.op.name];
  const tables = tuning === "off" ? [] : [...(tuning ? [tuning] : []), ...runtime.tuningTables];
  const variant = select(node.op, problem, runtime.capabilities, forced, { tuning: tables });
  const plan = variant.plan(problem, runtime.capabilities);
  return { node, variant: variant.name, plan, key: problemKey(problem) };
}

const isPersistent = ({ source }: StorageInfo): boolean =>
  source?.source.kind === "constant" || source?.source.kind === "variable";

export interface ActivationPlan {
  /** Of each lifetime: a storage, or a node's scratch. */
  readonly keys: readonly (number | Scratch)[];
  readonly lifetimes: readonly Lifetime[];
  readonly plan: BufferPlan;
}

function planActivations(
  layout: Layout,
  passes: readonly Pass[],
  outputs: readonly Tensor[],
  persistent: ReadonlySet<Scratch>,
  share: boolean,
): ActivationPlan {
  const lifetimes = new Map<number | Scratch, { bytes: number; first: number; last: number }>();
  const touch = (key: number | Scratch, bytes: number, at: number): void => {
    const lifetime = lifetimes.get(key) ?? { bytes: alignBytes(bytes), first: at, last: at };
    lifetimes.set(key, { ...lifetime, first: Math.min(lifetime.first, at), last: Math.max(lifetime.last, at) });
  };
  const touchStorage = (id: number, at: number): void => {
    const storage = layout.storages[id];
    if (storage && !isPersistent(storage)) touch(id, storage.bytes, at);
  };
  for (const { id, source } of layout.storages) if (source?.source.kind === "input") touchStorage(id, -1);
  passes.forEach((pass, at) => {
    for (const view of viewsOf(pass)) touchStorage(view.storage, at);
    for (const piece of scratchOf(pass)) if (!persistent.has(piece)) touch(piece, piece.bytes, at);
  });
  for (const tensor of outputs) touchStorage(layout.view(tensor).storage, passes.length);
  const held: Lifetime[] = [...lifetimes.values()];
  return { keys: [...lifetimes.keys()], lifetimes: held, plan: planBuffers(held, share) };
}
