/**
 * Turns a graph into a plan: picks variants, lays out memory, creates pipelines concurrently, uploads and repacks
 * constants, and makes every bind group once, so that a run only encodes.
 */
import { AbortedError, OutOfMemoryError } from "../errors.js";
import { checkBufferSize, type GpuAllocation, mebibytes } from "../gpu/memory.js";
import { scoped } from "../gpu/scopes.js";
import { checkDtype } from "./elements.js";
import { type Layout, layOut, type StorageInfo } from "./layout.js";
import { type BufferPlan, type Lifetime, planBuffers } from "./memory_plan.js";
import { type NodePlan, type Operand, type Pass, type Problem, type Scratch, scratchOf, viewsOf } from "./op.js";
import { type Dispatch, Plan } from "./plan.js";
import { ConstantBuffers, UniformBuffers } from "./plan_buffers.js";
import { BUFFER_USAGE, type Runtime } from "./runtime.js";
import { type SelectOptions, select } from "./select.js";
import { bytesOf, type GraphNode, sizeOf, type Tensor } from "./tensor.js";

export interface CompileProgress {
  readonly stage: "pipelines" | "weights";
  readonly done: number;
  readonly total: number;
}

export interface CompileOptions extends SelectOptions {
  /** false gives every tensor its own buffer, to tell a planning fault from a kernel's. */
  readonly planMemory?: boolean;
  /** Tensors that a run computes and does not return: updates of variables. */
  readonly effects?: readonly Tensor[];
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
 * @throws OutOfMemoryError before anything is allocated where a buffer is over the device's limits; AdapterError where
 *   the device cannot store a dtype; AbortedError
 */
export async function compile(
  runtime: Runtime,
  outputs: Readonly<Record<string, Tensor>>,
  options: CompileOptions = {},
): Promise<Plan> {
  const started = performance.now();
  const { signal, onProgress = () => {}, planMemory = true, effects = [] } = options;
  const nodes = reachable([...Object.values(outputs), ...effects]);
  for (const { outputs, inputs } of nodes)
    for (const tensor of [...inputs, ...outputs]) if (tensor) checkDtype(runtime, tensor.dtype);
  const layout = layOut(nodes, Object.values(outputs));
  const steps = nodes.map((node) => planNode(runtime, node, layout, options));

  const prepared = steps.map((step) => onlyConstants(step.node) && (step.plan.prepare?.length ?? 0) > 0);
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
  for (const bytes of activations.plan.bufferBytes)
    checkBufferSize(runtime.device.limits, "an activation", bytes, true);
  runtime.memory.assertRoom(
    "the activations",
    activations.plan.bufferBytes.reduce((sum, bytes) => sum + bytes, 0),
  );
  for (const { pass } of passes) checkWorkgroups(runtime.device.limits, pass);

  const release: (() => void)[] = [];
  try {
    const everyPass = steps.flatMap(({ plan }) => [...(plan.prepare ?? []), ...plan.passes]);
    const pipelines = await createPipelines(runtime, everyPass, onProgress, signal);
    const buffers = await allocate(runtime, activations, release);
    const constants = new ConstantBuffers(runtime, layout, release);
    const uniforms = new UniformBuffers(runtime, release);
    const variables = await scoped(runtime.device, "allocating variables", () => allocateVariables(runtime, layout));
    const bufferOf = ({ id, source }: StorageInfo): GPUBuffer => {
      if (source?.source.kind === "variable") return runtime.variables.of(source.source.variable);
      return source?.source.kind === "constant" ? constants.raw(id) : buffers.of(id);
    };
    const bind = (pass: Pass, label: string): Dispatch => {
      const resource = (operand: Operand): GPUBufferBinding => {
        if ("none" in operand) return { buffer: runtime.zeroBuffer() };
        if ("scratch" in operand)
          return { buffer: constants.scratch.get(operand) ?? buffers.of(operand), size: align(operand.bytes) };
        const storage = layout.storages[operand.storage];
        if (!storage) throw new Error(`compile: storage ${operand.storage} does not exist`);
        return { buffer: bufferOf(storage), size: align(storage.bytes) };
      };
      const entries = pass.shader.bindings.map(({ name, binding, access }) => {
        if (access === "uniform") return { binding, resource: { buffer: uniforms.of(pass) } };
        const bound = pass.bind[name];
        if (!bound) throw new Error(`${pass.shader.name}: binding ${name} was not given`);
        return { binding, resource: resource(bound) };
      });
      const pipeline = pipelines.get(pass);
      if (!pipeline) throw new Error(`${pass.shader.name}: its pipeline was not created`);
      const group = runtime.device.createBindGroup({
        label,
        layout: runtime.pipelines.bindGroupLayout(pass.shader),
        entries,
      });
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
      const storage = layout.storages[layout.view(tensor).storage];
      if (!storage) throw new Error(`compile: ${tensor.name} has no storage`);
      const { shape, dtype } = tensor;
      return { buffer: bufferOf(storage), shape, dtype, bytes: align(sizeOf(shape) * bytesOf(dtype)) };
    };
    const makePlan = (): Plan =>
      new Plan(runtime, {
        dispatches,
        inputs: inputsOf(nodes, Object.values(outputs)).map((tensor) => ({ name: tensor.name, ...endpoints(tensor) })),
        outputs: Object.entries(outputs).map(([name, tensor]) => ({ name, ...endpoints(tensor) })),
        activationBytes: activations.plan.bufferBytes.reduce((sum, bytes) => sum + bytes, 0),
        weightBytes: constants.bytes + variables,
        compileMs: performance.now() - started,
        release,
      });
    return await scoped(runtime.device, "allocating the outputs' read-back", makePlan);
  } catch (error) {
    for (const free of release) free();
    throw error;
  }
}

/** Kernels spread a large range over two dimensions of workgroups; what passes even that is too large for the device. */
function checkWorkgroups(
  { maxComputeWorkgroupsPerDimension: most }: GPUSupportedLimits,
  { shader, workgroups }: Pass,
): void {
  if (workgroups.every((count) => count <= most)) return;
  throw new OutOfMemoryError(
    `${shader.name} would need ${workgroups.join(" x ")} workgroups, this device allows ${most} a dimension: use a smaller image, batch or --working-size`,
  );
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
const flopsOf = ({ op, inputs, outputs, attrs }: GraphNode): number => op.flops(inputs, outputs, attrs);

/** Bytes that a pass must move at least once: every operand it binds, counted whole. */
function trafficOf(pass: Pass, layout: Layout): number {
  const views = viewsOf(pass).map(
    ({ shape, dtype, storage }) => sizeOf(shape) * (layout.storages[storage]?.bytes === 0 ? 0 : bytesOf(dtype)),
  );
  return [...views, ...scratchOf(pass).map(({ bytes }) => bytes)].reduce((sum, bytes) => sum + bytes, 0);
}

/** @returns their bytes */
function allocateVariables(runtime: Runtime, layout: Layout): number {
  let bytes = 0;
  for (const { source } of layout.storages) {
    if (source?.source.kind !== "variable") continue;
    runtime.variables.of(source.source.variable);
    bytes += sizeOf(source.shape) * 4;
  }
  return bytes;
}

const isPersistent = ({ source }: StorageInfo): boolean =>
  source?.source.kind === "constant" || source?.source.kind === "variable";

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
    if (storage && !isPersistent(storage)) touch(id, storage.bytes, at);
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
      if (!buffer)
        throw new Error(
          `compile: no buffer was planned for ${typeof key === "number" ? `storage ${key}` : key.scratch}`,
        );
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
