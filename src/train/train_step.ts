/** One training step on a device: its graphs compiled, run with a batch, and its state read and written. */
import { ShapeError, UsageError } from "../errors.js";
import { type CompileProgress, compile } from "../graph/compile.js";
import type { PassTiming, Plan, PlannedDispatch } from "../graph/plan.js";
import { type PlannedMemory, plannedMemory } from "../graph/plan_graph.js";
import type { Runtime } from "../graph/runtime.js";
import { type Shape, showShape, sizeOf, type Tensor } from "../graph/tensor.js";
import { fromFloat32, type HostTensor } from "../io/tensor_data.js";
import { adamHyper } from "../kernels/adam/op.js";
import { checkConfig, type ModelConfig, sizeMultiple } from "../model/config.js";
import type { TrainLayers } from "../model/train_layers.js";
import type { LossName } from "./losses.js";
import { readEntries, type StoredEntry } from "./optimizer_state.js";
import { entriesOf, type TrainGraph, trainGraphs } from "./train_graph.js";

export interface TrainStepOptions {
  readonly config: ModelConfig;
  /** Images a micro-batch. */
  readonly batch: number;
  /** Side of the square images. */
  readonly size: number;
  readonly loss: LossName;
  readonly optimizer: {
    readonly name: "adam" | "adamw";
    readonly beta1?: number;
    readonly beta2?: number;
    readonly eps?: number;
    readonly weightDecay?: number;
  };
  /** Norm that the gradient of all parameters together is cut to; 0 leaves it. */
  readonly clipNorm?: number;
  /** Weight of the past in the average of the weights, e.g. 0.998; 0 keeps none. */
  readonly emaDecay?: number;
  /** Micro-batches a step. Batch statistics are those of a micro-batch. */
  readonly accumulate?: number;
  /** Computes the activations inside each S2AM again in the backward pass instead of keeping them. */
  readonly recompute?: boolean;
  readonly onProgress?: ((progress: CompileProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface TrainBatch {
  /** [batch * accumulate, size, size, 4]: RGB in [0, 1] and the mask. */
  readonly x: Float32Array;
  /** [batch * accumulate, size, size, 3] */
  readonly target: Float32Array;
}

export interface StepResult {
  readonly loss: number;
  /** Euclidean norm over all parameters, before clipping. */
  readonly gradientNorm: number;
  /** Parameters whose gradient holds a NaN or an infinity; the step was then skipped. */
  readonly nonFinite: readonly string[];
  /** Of each dispatch with `profile`, else empty. */
  readonly timings: readonly PassTiming[];
}

export interface TrainMemory {
  readonly parameterBytes: number;
  readonly optimizerBytes: number;
  /** Activations, gradients and scratch, as planned. */
  readonly activationBytes: number;
  /** The most scratch alive at once. */
  readonly scratchBytes: number;
}

const RUNNING_BUFFER = /\.running_(mean|var)$/;

export class TrainStep {
  /** Updates applied so far: what Adam's bias correction counts. */
  updates = 0;

  private constructor(
    private readonly runtime: Runtime,
    readonly options: TrainStepOptions,
    private readonly layers: TrainLayers,
    private readonly state: readonly StoredEntry[],
    private readonly micro: Plan,
    /** The update after the last micro-batch; null where a step is one micro-batch and holds it itself. */
    private readonly update: Plan | null,
  ) {}

  /**
   * @param initial state dict by PyTorch key: `initialTensors`, or a checkpoint's
   * @throws UsageError; OutOfMemoryError before anything is allocated where a tensor is over the device's limits
   */
  static async create(
    runtime: Runtime,
    options: TrainStepOptions,
    initial: ReadonlyMap<string, HostTensor>,
  ): Promise<TrainStep> {
    checkTrainOptions(options);
    const { layers, state, micro, update } = trainGraphs(options, initial);
    const compileOptions = { onProgress: options.onProgress, signal: options.signal };
    const compiled = ({ outputs, effects }: TrainGraph): Promise<Plan> =>
      compile(runtime, outputs, { ...compileOptions, effects });
    const first = await compiled(micro);
    return new TrainStep(runtime, options, layers, state, first, update && (await compiled(update)));
  }

  /** What `create` would take on this device, without allocating anything or compiling a shader. */
  static plannedMemory(
    runtime: Runtime,
    options: TrainStepOptions,
    initial: ReadonlyMap<string, HostTensor>,
  ): TrainMemory {
    checkTrainOptions(options);
    const { layers, state, micro, update } = trainGraphs(options, initial);
    const parts = [micro, ...(update ? [update] : [])].map(({ outputs, effects }) =>
      plannedMemory(runtime, outputs, { effects }),
    );
    return memoryOf(layers, state, parts);
  }

  /** Runs one step. A step whose gradients are not finite changes nothing but the running statistics' time. */
  async step(
    { x, target }: TrainBatch,
    { lr, profile = false }: { readonly lr: number; readonly profile?: boolean },
  ): Promise<StepResult> {
    const { accumulate = 1, emaDecay = 0 } = this.options;
    const hyper = this.hyperParameters(lr);
    const feed = { hyper, "ema decay": new Float32Array([emaDecay]) };
    if (!this.update) {
      const { outputs, timings } = await this.micro.run({ x, target, ...feed }, { profile });
      return { ...this.result(outputs.loss?.[0] ?? Number.NaN, outputs.statistics), timings };
    }
    let loss = 0;
    const timings: PassTiming[] = [];
    const append = (later: readonly PassTiming[]): void => {
      const { startMs = 0, ms = 0 } = timings.at(-1) ?? {};
      for (const timing of later) timings.push({ ...timing, startMs: startMs + ms + timing.startMs });
    };
    for (let k = 0; k < accumulate; k++) {
      const part = <T extends Float32Array>(values: T): Float32Array =>
        values.subarray((k * values.length) / accumulate, ((k + 1) * values.length) / accumulate);
      const reset = new Float32Array([k === 0 ? 1 : 0]);
      const micro = await this.micro.run({ x: part(x), target: part(target), reset, ...feed }, { profile });
      loss += (micro.outputs.loss?.[0] ?? Number.NaN) / accumulate;
      append(micro.timings);
    }
    const { outputs, timings: last } = await this.update.run(feed, { profile });
    append(last);
    return { ...this.result(loss, outputs.statistics), timings };
  }

  /** Everything that training changes, by name: `param/KEY` (running statistics too), `m/KEY`, `v/KEY`, `ema/KEY`; PyTorch's layouts. */
  async readState(): Promise<Map<string, Float32Array>> {
    const values = await readEntries(this.runtime, this.state);
    return new Map(this.state.map(({ key, toPyTorch }, i) => [key, toPyTorch(values[i] ?? new Float32Array(0))]));
  }

  /** @throws UsageError where `state` lacks a name or has one too many */
  writeState(state: ReadonlyMap<string, Float32Array>): void {
    const known = new Set(this.state.map(({ key }) => key));
    const extra = [...state.keys()].find((key) => !known.has(key));
    if (extra !== undefined) throw new UsageError(`the state holds ${extra}, which this training does not have`);
    const written = new Map<Tensor, Float32Array>();
    for (const { key, variable, place, shape, fromPyTorch } of this.state) {
      const values = state.get(key);
      if (!values) throw new UsageError(`the state lacks ${key}, which this training has`);
      if (values.length !== sizeOf(shape)) {
        throw new ShapeError(`the state's ${key} has ${values.length} values, this training's is ${showShape(shape)}`);
      }
      const whole = written.get(variable) ?? new Float32Array(sizeOf(variable.shape));
      whole.set(fromPyTorch(values), place);
      written.set(variable, whole);
    }
    for (const [variable, values] of written) this.runtime.variables.write(variable, values);
  }

  /** The state dict as it is, or with the averaged parameters. Running statistics are the current ones in both. */
  async weights(which: "param" | "ema" = "param"): Promise<Map<string, HostTensor>> {
    const named = new Map(this.state.map((entry) => [entry.key, entry]));
    const entries = [...this.layers.parameters, ...this.layers.running.entries].map(({ key }) => {
      const averaged = which === "ema" && !RUNNING_BUFFER.test(key);
      const entry = named.get(`${averaged ? "ema" : "param"}/${key}`);
      if (!entry) throw new UsageError("this training keeps no average of the weights");
      return { ...entry, key };
    });
    const values = await readEntries(this.runtime, entries);
    return new Map(
      entries.map(({ key, shape, toPyTorch }, i) => [
        key,
        fromFloat32(toPyTorch(values[i] ?? new Float32Array(0)), shape, "F32"),
      ]),
    );
  }

  get memory(): TrainMemory {
    return memoryOf(this.layers, this.state, [this.micro.parts, ...(this.update ? [this.update.parts] : [])]);
  }

  /** What a step dispatches, for benches. */
  get dispatches(): readonly PlannedDispatch[] {
    return [...this.micro.parts.dispatches, ...(this.update?.parts.dispatches ?? [])];
  }

  /** The variant of each problem that had several, by its key. */
  get choices(): ReadonlyMap<string, string> {
    return new Map([...this.micro.parts.choices, ...(this.update?.parts.choices ?? [])]);
  }

  /** Frees the plans; the variables go with the runtime. */
  async dispose(): Promise<void> {
    await this.micro.dispose();
    await this.update?.dispose();
  }

  private hyperParameters(lr: number): Float32Array {
    const { optimizer, clipNorm = 0 } = this.options;
    return adamHyper({ ...optimizer, lr, clipNorm }, this.updates + 1);
  }

  private result(loss: number, statistics: Float32Array | undefined): Omit<StepResult, "timings"> {
    let sum = 0;
    const nonFinite: string[] = [];
    const judged = this.layers.trained.units.flatMap((_, unit) => entriesOf(this.layers, unit));
    judged.forEach(({ key }, i) => {
      sum += statistics?.[2 * i] ?? Number.NaN;
      if ((statistics?.[2 * i + 1] ?? 1) > 0) nonFinite.push(key);
    });
    if (nonFinite.length === 0) this.updates += 1;
    return { loss, gradientNorm: Math.sqrt(sum), nonFinite };
  }
}

function memoryOf(
  { parameters, running }: TrainLayers,
  state: readonly StoredEntry[],
  parts: readonly Pick<PlannedMemory, "activationBytes" | "scratchBytes">[],
): TrainMemory {
  const bytes = (entries: readonly { readonly shape: Shape }[]): number =>
    entries.reduce((sum, { shape }) => sum + sizeOf(shape) * 4, 0);
  const parameterBytes = bytes([...parameters, ...running.entries]);
  return {
    parameterBytes,
    optimizerBytes: bytes(state) - parameterBytes,
    activationBytes: parts.reduce((sum, { activationBytes }) => sum + activationBytes, 0),
    scratchBytes: Math.max(...parts.map(({ scratchBytes }) => scratchBytes)),
  };
}

/** @throws UsageError for what no step can be made of */
export function checkTrainOptions({
  config,
  batch,
  size,
  accumulate = 1,
  emaDecay = 0,
  clipNorm = 0,
}: TrainStepOptions): void {
  checkConfig(config);
  const multiple = sizeMultiple(config);
  if (size % multiple !== 0)
    throw new UsageError(`size must be a multiple of ${multiple} for ${config.levels} levels (2^levels), got ${size}`);
  for (const [name, value] of Object.entries({ batch, accumulate })) {
    if (!Number.isInteger(value) || value < 1)
      throw new UsageError(`${name} must be a whole number from 1, got ${value}`);
  }
  if (!(emaDecay >= 0 && emaDecay < 1)) throw new UsageError(`the average's decay must lie in 0..1, got ${emaDecay}`);
  if (!(clipNorm >= 0)) throw new UsageError(`the clipping norm must be 0 (none) or more, got ${clipNorm}`);
  // Batch statistics of one value are that value: nothing would be left to normalise.
  if (batch === 1 && size === multiple) {
    throw new UsageError(
      `batch norm needs more than one value a channel: use a batch of 2 or more, or fewer levels than ${config.levels}`,
    );
  }
}
