/**
 * Turns a graph into a plan: picks variants, lays out memory, creates pipelines concurrently, uploads and repacks
 * constants, and makes every bind group once, so that a run only encodes.
 */
import { AbortedError } from "../errors.js";
import { checkBufferSize, type GpuAllocation, mebibytes } from "../gpu/memory.js";
import { scoped } from "../gpu/scopes.js";
import { type Layout, layOut } from "./layout.js";
import { type BufferPlan, type Lifetime, planBuffers } from "./memory_plan.js";
import type { NodePlan, Operand, Pass, Problem, Scratch, TensorView } from "./op.js";
import { type Dispatch, Plan } from "./plan.js";
import { BUFFER_USAGE, type Runtime } from "./runtime.js";
import { type SelectOptions, select } from "./select.js";
import { type GraphNode, sizeOf, type Tensor } from "./tensor.js";

export interface CompileProgress {
  readonly stage: "pipelines" | "weights";
  readonly done: number;
  readonly total: number;
}

export interface CompileOptions extends SelectOptions {
  /** false gives every tensor its own buffer, to tell a planning fault from a kernel's. */
  readonly planMemory?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: CompileProgress) => void) | undefined;
}

interface Step {
  readonly node: GraphNode;
  readonly variant: string;
  readonly plan: NodePlan;
}

/**
 * @param outputs the tensors that a run returns, by name
 * @throws OutOfMemoryError before anything is allocated where a buffer is over the device's limits; AbortedError
 */
export async function compile(runtime: Runtime, outputs: Readonly<Record<string, Tensor>>, options: CompileOptions = {}): Promise<Plan> {
  const started = performance.now();
  const { signal, onProgress = () => {}, planMemory = true } = options;
  const nodes = reachable(Object.values(outputs));
  const layout = layOut(nodes, Object.values(outputs));
  const steps = nodes.map((node) => planNode(runtime, node, layout, options));

  const prepared = steps.map((step) => onlyConstants(step.node) && (step.plan.prepare?.length ?? 0) > 0);
  const passes = steps.flatMap((step, index) => {
    const inRun = prepared[index] ? step.plan.passes : [...(step.plan.prepare ?? []), ...step.plan.passes];
    return inRun.map((pass) => ({ step, pass }));
  });
  const persistent = new Set(steps.flatMap((step, i) => (prepared[i] ? (step.plan.prepare ?? []).flatMap(scratchOf) : [])));
  const activations = planActivations(layout, passes.map(({ pass }) => pass), Object.values(outputs), persistent, planMemory);
  for (const bytes of activations.plan.bufferBytes) checkBufferSize(runtime.device.limits, "an activation", bytes, true);

  const release: (() => void)[] = [];
  try {
    const everyPass = steps.flatMap(({ plan }) => [...(plan.prepare ?? []), ...plan.passes]);
    const pipelines = await createPipelines(runtime, everyPass, onProgress, signal);
    const buffers = await allocate(runtime, activations, release);
    const constants = new ConstantBuffers(runtime, layout, release);
    const bind = (pass: Pass, label: string): Dispatch => {
      const resource = (operand: Operand): GPUBufferBinding => {
        if ("none" in operand) return { buffer: runtime.zeroBuffer() };
        if ("scratch" in operand) return { buffer: constants.scratch.get(operand) ?? buffers.of(operand), size: align(operand.bytes) };
        const storage = layout.storages[operand.storage];
        if (!storage) throw new Error(`compile: storage ${operand.storage} does not exist`);
        const source = storage.source?.source;
        return { buffer: source?.kind === "constant" ? constants.raw(operand.storage) : buffers.of(operand.storage), size: align(storage.bytes) };
      };
      const entries = pass.shader.bindings.map(({ name, binding }) => {
        const bound = pass.bind[name];
        if (!bound) throw new Error(`${pass.shader.name}: binding ${name} was not given`);
        return { binding, resource: resource(bound) };
      });
      const pipeline = pipelines.get(pass);
      if (!pipeline) throw new Error(`${pass.shader.name}: its pipeline was not created`);
      const group = runtime.device.createBindGroup({ label, layout: runtime.pipelines.bindGroupLayout(pass.shader), entries });
      return { label, pipeline, group, workgroups: pass.workgroups };
    };

    let done = 0;
    const toPrepare = steps.filter((_, index) => prepared[index]);
    for (const step of toPrepare) {
      checkAborted(signal);
      await constants.prepare(step.node, step.plan, bind);
      onProgress({ stage: "weights", done: ++done, total: toPrepare.length });
    }
    const dispatches = await scoped(runtime.device, "binding the graph's buffers", () =>
      passes.map(({ step, pass }) => ({
        ...bind(pass, pass.shader.name),
        shader: pass.shader.name,
        op: step.node.op.name,
        node: step.node.outputs[0]?.name ?? step.node.op.name,
        variant: step.variant,
        flops: step.plan.passes.at(-1) === pass ? flopsOf(step.node) : 0,
        bytes: trafficOf(pass, layout),
      })),
    );
    await runtime.wait(runtime.device.queue.onSubmittedWorkDone());
    constants.releaseUnused(passes.map(({ pass }) => pass));
    checkAborted(signal);
    const endpoints = (tensor: Tensor) => {
      const view = layout.view(tensor);
      const buffer = tensor.source.kind === "constant" ? constants.raw(view.storage) : buffers.of(view.storage);
      return { buffer, shape: tensor.shape, bytes: sizeOf(tensor.shape) * 4 };
    };
    return new Plan(runtime, {
      dispatches,
      inputs: inputsOf(nodes, Object.values(outputs)).map((tensor) => ({ name: tensor.name, ...endpoints(tensor) })),
      outputs: Object.entries(outputs).map(([name, tensor]) => ({ name, ...endpoints(tensor) })),
      activationBytes: activations.plan.bufferBytes.reduce((sum, bytes) => sum + bytes, 0),
      weightBytes: constants.bytes,
      compileMs: performance.now() - started,
      release,
    });
  } catch (error) {
    for (const free of release) free();
    throw error;
  }
}

function reachable(outputs: readonly Tensor[]): GraphNode[] {
  const found = new Set<GraphNode>();
  const pending = [...outputs];
  for (let tensor = pending.pop(); tensor; tensor = pending.pop()) {
    if (tensor.source.kind !== "node" || found.has(tensor.source.node)) continue;
    found.add(tensor.source.node);
    for (const x of tensor.source.node.inputs) if (x) pending.push(x);
  }
  return [...found].sort((a, b) => a.id - b.id);
}

function inputsOf(nodes: readonly GraphNode[], outputs: readonly Tensor[]): Tensor[] {
  const tensors = new Set([...nodes.flatMap(({ inputs }) => inputs), ...outputs]);
  return [...tensors].filter((tensor): tensor is Tensor => tensor?.source.kind === "input");
}

function planNode(runtime: Runtime, node: GraphNode, layout: Layout, options: CompileOptions): Step {
  const problem: Problem<unknown> = {
    op: node.op.name,
    attrs: node.attrs,
    inputs: node.inputs.map((tensor) => tensor && layout.view(tensor)),
    outputs: node.outputs.map((tensor) => layout.view(tensor)),
  };
  const forced = node.variant ?? options.force?.[node.op.name];
  const variant = select(node.op, problem, runtime.capabilities, forced, options);
  return { node, variant: variant.name, plan: variant.plan(problem, runtime.capabilities) };
}

/** Repacking may be done once where every input but the first (the activation) is a constant. */
const onlyConstants = (node: GraphNode): boolean =>
  node.inputs.slice(1).every((tensor) => tensor === null || tensor.source.kind === "constant");

const align = (bytes: number): number => Math.max(4, Math.ceil(bytes / 4) * 4);
const scratchOf = (pass: Pass): Scratch[] => Object.values(pass.bind).filter((operand): operand is Scratch => "scratch" in operand);
const viewsOf = (pass: Pass): TensorView[] => Object.values(pass.bind).filter((operand): operand is TensorView => "storage" in operand);
const flopsOf = ({ op, inputs, outputs, attrs }: GraphNode): number => op.flops(inputs, outputs, attrs);

/** Bytes that a pass must move at least once: every operand it binds, counted whole. */
function trafficOf(pass: Pass, layout: Layout): number {
  const views = viewsOf(pass).map((view) => sizeOf(view.shape) * (layout.storages[view.storage]?.bytes === 0 ? 0 : 4));
  return [...views, ...scratchOf(pass).map(({ bytes }) => bytes)].reduce((sum, bytes) => sum + bytes, 0);
}

interface ActivationPlan {
  readonly keys: readonly (number | Scratch)[];
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
    const lifetime = lifetimes.get(key) ?? { bytes: align(bytes), first: at, last: at };
    lifetimes.set(key, { ...lifetime, first: Math.min(lifetime.first, at), last: Math.max(lifetime.last, at) });
  };
  const touchStorage = (id: number, at: number): void => {
    const storage = layout.storages[id];
    if (storage && storage.source?.source.kind !== "constant") touch(id, storage.bytes, at);
  };
  for (const { id, source } of layout.storages) if (source?.source.kind === "input") touchStorage(id, -1);
  passes.forEach((pass, at) => {
    for (const view of viewsOf(pass)) touchStorage(view.storage, at);
    for (const piece of scratchOf(pass)) if (!persistent.has(piece)) touch(piece, piece.bytes, at);
  });
  for (const tensor of outputs) touchStorage(layout.view(tensor).storage, passes.length);
  const held: Lifetime[] = [...lifetimes.values()];
  return { keys: [...lifetimes.keys()], plan: planBuffers(held, share) };
}

async function allocate(runtime: Runtime, { keys, plan }: ActivationPlan, release: (() => void)[]) {
  const allocations: GpuAllocation[] = [];
  release.push(() => {
    for (const allocation of allocations) allocation.destroy();
  });
  const total = plan.bufferBytes.reduce((sum, bytes) => sum + bytes, 0);
  await scoped(runtime.device, `allocating ${mebibytes(total)} of activations`, () => {
    plan.bufferBytes.forEach((bytes, i) => {
      allocations.push(runtime.memory.create(`activation ${i}`, bytes, BUFFER_USAGE));
    });
  });
  const byKey = new Map(keys.map((key, i) => [key, allocations[plan.bufferOf[i] ?? -1]?.buffer]));
  return {
    of(key: number | Scratch): GPUBuffer {
      const buffer = byKey.get(key);
      if (!buffer) throw new Error(`compile: no buffer was planned for ${typeof key === "number" ? `storage ${key}` : key.scratch}`);
      return buffer;
    },
  };
}

async function createPipelines(
  runtime: Runtime,
  passes: readonly Pass[],
  onProgress: (progress: CompileProgress) => void,
  signal: AbortSignal | undefined,
): Promise<Map<Pass, GPUComputePipeline>> {
  let done = 0;
  const created = await runtime.wait(
    Promise.all(
      passes.map(async (pass) => {
        checkAborted(signal);
        const pipeline = await runtime.pipelines.get(pass);
        onProgress({ stage: "pipelines", done: ++done, total: passes.length });
        return [pass, pipeline] as const;
      }),
    ),
  );
  checkAborted(signal);
  return new Map(created);
}

function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortedError("compile: aborted by the caller");
}

type Bind = (pass: Pass, label: string) => Dispatch;

/** Uploads constants when they are first bound and keeps only what a run reads: raw, or repacked by `prepare` passes. */
class ConstantBuffers {
  readonly scratch = new Map<Scratch, GPUBuffer>();
  bytes = 0;
  private readonly held = new Map<number, { buffer: GPUBuffer; bytes: number; release: () => void }>();

  constructor(
    private readonly runtime: Runtime,
    private readonly layout: Layout,
    private readonly release: (() => void)[],
  ) {}

  raw(storageId: number): GPUBuffer {
    const held = this.held.get(storageId);
    if (held) return held.buffer;
    const storage = this.layout.storages[storageId];
    const source = storage?.source?.source;
    if (!storage || source?.kind !== "constant") throw new Error(`compile: storage ${storageId} is not a constant`);
    const { buffer, fresh, release } = this.runtime.shareConstant(source.constant, "", storage.bytes);
    this.release.push(release);
    this.held.set(storageId, { buffer, bytes: storage.bytes, release });
    this.bytes += storage.bytes;
    if (fresh) {
      const values = source.constant.load();
      if (values.byteLength !== storage.bytes) {
        throw new Error(`constant ${source.constant.name}: its shape needs ${storage.bytes / 4} elements, it has ${values.length}`);
      }
      this.runtime.device.queue.writeBuffer(buffer, 0, values as Float32Array<ArrayBuffer>);
    }
    return buffer;
  }

  async prepare(node: GraphNode, plan: NodePlan, bind: Bind): Promise<void> {
    const { device } = this.runtime;
    const passes = plan.prepare ?? [];
    const constants = node.inputs.filter((tensor) => tensor?.source.kind === "constant");
    const first = constants[0]?.source;
    if (first?.kind !== "constant") throw new Error(`${node.op.name}: prepare passes need a constant`);
    let fresh = false;
    for (const piece of new Set(passes.flatMap(scratchOf))) {
      const form = `${piece.scratch} ${passes.map(({ shader, overrides, consts }) => shader.name + JSON.stringify([overrides, consts])).join()}`;
      const shared = this.runtime.shareConstant(first.constant, form, piece.bytes);
      this.release.push(shared.release);
      this.scratch.set(piece, shared.buffer);
      this.bytes += piece.bytes;
      fresh ||= shared.fresh;
    }
    if (!fresh) return;
    await scoped(device, `repacking ${first.constant.name}`, () => {
      const encoder = device.createCommandEncoder();
      const encoding = encoder.beginComputePass();
      for (const pass of passes) {
        const { pipeline, group, workgroups } = bind(pass, pass.shader.name);
        encoding.setPipeline(pipeline);
        encoding.setBindGroup(0, group);
        encoding.dispatchWorkgroups(...workgroups);
      }
      encoding.end();
      device.queue.submit([encoder.finish()]);
    });
    this.releaseUnused([], node); // what a run still reads is uploaded again when it is bound
  }

  /** Frees constants that no pass of the run binds; with a node, only that node's. */
  releaseUnused(passes: readonly Pass[], node?: GraphNode): void {
    const used = new Set(passes.flatMap((pass) => viewsOf(pass).map(({ storage }) => storage)));
    const candidates = node
      ? node.inputs.filter((tensor) => tensor?.source.kind === "constant").map((tensor) => this.layout.view(tensor as Tensor).storage)
      : [...this.held.keys()];
    for (const id of candidates) {
      const held = this.held.get(id);
      if (!held || used.has(id)) continue;
      held.release();
      this.bytes -= held.bytes;
      this.held.delete(id);
    }
  }
}
