/** A compiled graph. A run uploads its inputs, encodes one command buffer with one compute pass, and reads back once. */
import { AbortedError, InputError, ShapeError } from "../errors.js";
import {
  GPU_COPY_DST,
  GPU_COPY_SRC,
  GPU_MAP_MODE_READ,
  GPU_MAP_READ,
  GPU_QUERY_RESOLVE,
  type GpuAllocation,
} from "../gpu/memory.js";
import { scoped } from "../gpu/scopes.js";
import { encodeDispatch } from "./dispatch.js";
import { decode, encode } from "./elements.js";
import type { Runtime } from "./runtime.js";
import { type DType, type Shape, showShape, sizeOf } from "./tensor.js";

export interface Dispatch {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
  readonly indirect?: { readonly buffer: GPUBuffer; readonly offset: number };
}

export interface PlannedDispatch extends Dispatch {
  readonly shader: string;
  readonly op: string;
  /** The tensor that it helps to make. */
  readonly node: string;
  /** Equal for the passes of one node. */
  readonly nodeId: number;
  readonly variant: string;
  /** Of the whole node by the plain algorithm, on its last pass; 0 on the others. */
  readonly flops: number;
  /** Bytes that the pass binds. */
  readonly bytes: number;
  /** Bytes that the whole node must move whatever its algorithm, on its last pass; 0 on the others. */
  readonly minBytes: number;
  /** Threads of the dispatch; null where the workgroup's size cannot be read off the shader. */
  readonly invocations: number | null;
}

export interface Endpoint {
  readonly name: string;
  readonly buffer: GPUBuffer;
  readonly shape: Shape;
  /** In the buffer; callers give and get float32. */
  readonly dtype: DType;
  /** Of its elements, up to a multiple of 4. */
  readonly bytes: number;
}

export interface PassTiming extends Omit<PlannedDispatch, "label" | "pipeline" | "group"> {
  /** From the beginning of the run's first pass. */
  readonly startMs: number;
  readonly ms: number;
}

export interface RunOptions {
  /** Gives every dispatch a pass of its own with GPU timestamps; needs the feature `timestamp-query`. */
  readonly profile?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface RunResult {
  readonly outputs: Readonly<Record<string, Float32Array>>;
  /** From the first to the last dispatch on the GPU's clock; null without `timestamp-query`. */
  readonly gpuMs: number | null;
  /** One a dispatch with `profile`, else empty. */
  readonly timings: readonly PassTiming[];
}

export interface PlanParts {
  readonly dispatches: readonly PlannedDispatch[];
  readonly inputs: readonly Endpoint[];
  readonly outputs: readonly Endpoint[];
  /** Planned buffers for activations and scratch. */
  readonly activationBytes: number;
  /** The most scratch alive at once. */
  readonly scratchBytes: number;
  /** Constants in the form that runs read. */
  readonly weightBytes: number;
  /** The variant of each problem that had several, by its key. */
  readonly choices: ReadonlyMap<string, string>;
  readonly compileMs: number;
  /** Frees what the plan holds; the plan adds what it makes itself. */
  readonly release: (() => void)[];
}

export class Plan {
  private readonly staging: GpuAllocation;
  private readonly queries: GPUQuerySet | null = null;
  private readonly resolved: GpuAllocation | null = null;
  private tail: Promise<unknown> = Promise.resolve();
  private disposed = false;

  constructor(
    private readonly runtime: Runtime,
    readonly parts: PlanParts,
  ) {
    const { device, memory } = runtime;
    const keep = <Resource extends { destroy(): void }>(resource: Resource): Resource => {
      parts.release.push(() => resource.destroy());
      return resource;
    };
    const queryCount = Math.min(4096, 2 * Math.max(1, parts.dispatches.length));
    if (device.features.has("timestamp-query")) {
      this.queries = keep(device.createQuerySet({ type: "timestamp", count: queryCount }));
      this.resolved = keep(memory.create("timestamps", queryCount * 8, GPU_QUERY_RESOLVE | GPU_COPY_SRC));
    }
    this.staging = keep(memory.create("read-back", this.outputBytes + queryCount * 8, GPU_MAP_READ | GPU_COPY_DST));
  }

  /**
   * Runs the graph. Concurrent calls queue in order.
   * @param inputs values by input name, NHWC; not to be changed before the promise settles
   * @throws ShapeError when an input is missing or has another length; AbortedError; DeviceLostError
   */
  async run(inputs: Readonly<Record<string, Float32Array>>, options: RunOptions = {}): Promise<RunResult> {
    this.checkInputs(inputs);
    const result = this.tail.then(() => this.runNow(inputs, options));
    this.tail = result.catch(() => {});
    return result;
  }

  /** Waits for runs under way, then frees what the plan holds. */
  async dispose(): Promise<void> {
    if (this.disposed) return;
    this.disposed = true;
    await this.tail;
    for (const free of this.parts.release) free();
  }

  private get outputBytes(): number {
    // Timestamps follow the outputs and must lie at a multiple of 8.
    return Math.ceil(this.parts.outputs.reduce((sum, { bytes }) => sum + bytes, 0) / 8) * 8;
  }

  private checkInputs(inputs: Readonly<Record<string, Float32Array>>): void {
    if (this.disposed) throw new InputError("run: the plan was disposed of");
    for (const { name, shape } of this.parts.inputs) {
      const values = inputs[name];
      if (values?.length !== sizeOf(shape)) {
        throw new ShapeError(
          `run: input "${name}" needs ${sizeOf(shape)} values ${showShape(shape)}, got ${values ? values.length : "none"}`,
        );
      }
    }
  }

  private async runNow(
    inputs: Readonly<Record<string, Float32Array>>,
    { profile = false, signal }: RunOptions,
  ): Promise<RunResult> {
    const { device } = this.runtime;
    if (signal?.aborted) throw new AbortedError("run: aborted by the caller");
    if (profile && (!this.queries || this.parts.dispatches.length > 2048)) {
      throw new InputError("run: profile needs a device with the feature timestamp-query, and at most 2048 dispatches");
    }
    await scoped(device, "run", () => {
      for (const { name, buffer, dtype } of this.parts.inputs)
        device.queue.writeBuffer(buffer, 0, encode(name, inputs[name] as Float32Array, dtype));
      device.queue.submit([this.encode(profile)]);
    });
    await this.runtime.wait(this.staging.buffer.mapAsync(GPU_MAP_MODE_READ));
    const bytes = this.staging.buffer.getMappedRange().slice(0);
    this.staging.buffer.unmap();
    if (signal?.aborted) throw new AbortedError("run: aborted by the caller");
    return { outputs: this.readOutputs(bytes), ...this.readTimings(bytes, profile) };
  }

  private encode(profile: boolean): GPUCommandBuffer {
    const { dispatches, outputs } = this.parts;
    const encoder = this.runtime.device.createCommandEncoder({ label: "run" });
    const begin = (first: number): GPUComputePassEncoder =>
      encoder.beginComputePass(
        this.queries
          ? {
              timestampWrites: {
                querySet: this.queries,
                beginningOfPassWriteIndex: first,
                endOfPassWriteIndex: first + 1,
              },
            }
          : {},
      );
    let pass = profile ? null : begin(0);
    dispatches.forEach((dispatch, index) => {
      const encoding = pass ?? begin(2 * index);
      encoding.pushDebugGroup(dispatch.label);
      encodeDispatch(encoding, dispatch);
      encoding.popDebugGroup();
      if (!pass) encoding.end();
    });
    pass?.end();
    pass = null;
    let at = 0;
    for (const { buffer, bytes } of outputs) {
      encoder.copyBufferToBuffer(buffer, 0, this.staging.buffer, at, bytes);
      at += bytes;
    }
    if (this.queries && this.resolved) {
      const count = profile ? 2 * dispatches.length : 2;
      encoder.resolveQuerySet(this.queries, 0, count, this.resolved.buffer, 0);
      encoder.copyBufferToBuffer(this.resolved.buffer, 0, this.staging.buffer, this.outputBytes, count * 8);
    }
    return encoder.finish();
  }

  private readOutputs(bytes: ArrayBuffer): Record<string, Float32Array> {
    const values: Record<string, Float32Array> = {};
    let at = 0;
    for (const output of this.parts.outputs) {
      values[output.name] = decode(bytes, at, sizeOf(output.shape), output.dtype);
      at += output.bytes;
    }
    return values;
  }

  private readTimings(bytes: ArrayBuffer, profile: boolean): Pick<RunResult, "gpuMs" | "timings"> {
    if (!this.queries) return { gpuMs: null, timings: [] };
    const { dispatches } = this.parts;
    const count = profile ? 2 * dispatches.length : 2;
    const stamps = new BigUint64Array(bytes, this.outputBytes, count);
    const between = (a: number, b: number): number => Number((stamps[b] ?? 0n) - (stamps[a] ?? 0n)) / 1e6;
    const timings = profile
      ? dispatches.map(({ label, pipeline, group, ...dispatch }, i) => ({
          ...dispatch,
          startMs: between(0, 2 * i),
          ms: between(2 * i, 2 * i + 1),
        }))
      : [];
    return { gpuMs: between(0, count - 1), timings };
  }
}
