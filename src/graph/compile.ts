/**
 * Turns a graph into a plan: picks variants, lays out memory, creates pipelines concurrently, uploads and repacks
 * constants, and makes every bind group once, so that a run only encodes.
 */
import { AbortedError } from "../errors.js";
import { checkBufferSize, type GpuAllocation, mebibytes } from "../gpu/memory.js";
import { scoped } from "../gpu/scopes.js";
import type { ShaderBinding } from "../gpu/shader.js";
import { invocationsOf, minimalBytes } from "./cost.js";
import { alignBytes, bindPass, checkWorkgroups } from "./dispatch.js";
import type { Layout, StorageInfo } from "./layout.js";
import { type Operand, type Pass, type Scratch, scratchOf, viewsOf } from "./op.js";
import { type Dispatch, Plan } from "./plan.js";
import { ConstantBuffers, UniformBuffers } from "./plan_buffers.js";
import { type ActivationPlan, activationBytesOf, type PlanOptions, planGraph, type Step } from "./plan_graph.js";
import { BUFFER_USAGE, type Runtime } from "./runtime.js";
import { bytesOf, type GraphNode, sizeOf, type Tensor } from "./tensor.js";

export interface CompileProgress {
  readonly stage: "pipelines" | "weights";
  readonly done: number;
  readonly total: number;
}

export interface CompileOptions extends PlanOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: CompileProgress) => void) | undefined;
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
  const { signal, onProgress = () => {} } = options;
  const { nodes, layout, steps, prepared, passes, activations } = planGraph(runtime, outputs, options);
  for (const bytes of activations.plan.bufferBytes)
    checkBufferSize(runtime.device.limits, "an activation", bytes, true);
  runtime.memory.assertRoom("the activations", activationBytesOf(activations).activationBytes);
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
    const resourceOf = (operand: Exclude<Operand, { none: true }>): GPUBufferBinding => {
      if ("scratch" in operand)
        return { buffer: constants.scratch.get(operand) ?? buffers.of(operand), size: alignBytes(operand.bytes) };
      const storage = layout.storages[operand.storage];
      if (!storage) throw new Error(`compile: storage ${operand.storage} does not exist`);
      if (operand.base === null) return { buffer: bufferOf(storage), size: alignBytes(storage.bytes) };
      const element = bytesOf(operand.dtype);
      const size = alignBytes(sizeOf(operand.shape) * element);
      return { buffer: bufferOf(storage), offset: operand.base * element, size };
    };
    const resources = { of: resourceOf, params: (pass: Pass, binding: ShaderBinding) => uniforms.of(pass, binding) };
    const bind = (pass: Pass, label: string): Dispatch => {
      const pipeline = pipelines.get(pass);
      if (!pipeline) throw new Error(`${pass.shader.name}: its pipeline was not created`);
      return bindPass(runtime, pass, pipeline, resources, label);
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
        nodeId: step.node.id,
        flops: step.plan.passes.at(-1) === pass ? flopsOf(step.node) : 0,
        minBytes: step.plan.passes.at(-1) === pass ? minimalBytes(step.node) : 0,
        invocations: invocationsOf(pass),
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
      return { buffer: bufferOf(storage), shape, dtype, bytes: alignBytes(sizeOf(shape) * bytesOf(dtype)) };
    };
    const makePlan = (): Plan =>
      new Plan(runtime, {
        dispatches,
        inputs: inputsOf(nodes, Object.values(outputs)).map((tensor) => ({ name: tensor.name, ...endpoints(tensor) })),
        outputs: Object.entries(outputs).map(([name, tensor]) => ({ name, ...endpoints(tensor) })),
        ...activationBytesOf(activations),
        weightBytes: constants.bytes + variables,
        choices: choicesOf(steps),
        compileMs: performance.now() - started,
        release,
      });
    return await scoped(runtime.device, "allocating the outputs' read-back", makePlan);
  } catch (error) {
    for (const free of release) free();
    throw error;
  }
}

function inputsOf(nodes: readonly GraphNode[], outputs: readonly Tensor[]): Tensor[] {
  const tensors = new Set([...nodes.flatMap(({ inputs }) => inputs), ...outputs]);
  return [...tensors].filter((tensor): tensor is Tensor => tensor?.source.kind === "input");
}

/** Of nodes that had a choice. */
const choicesOf = (steps: readonly Step[]): Map<string, string> =>
  new Map(steps.flatMap(({ node, key, variant }) => (node.op.variants.length > 1 ? [[key, variant]] : [])));

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
