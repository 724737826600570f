/**
 * One training step as one graph: forward, loss, backward, guard, clipping, optimizer, running statistics, average of the
 * weights. With accumulation it is two: a micro-batch adds its gradients up, and the update follows after the last.
 */
import { gradients } from "../autograd/backward.js";
import { ShapeError, UsageError } from "../errors.js";
import { type CompileProgress, compile } from "../graph/compile.js";
import type { Plan, PlannedDispatch } from "../graph/plan.js";
import type { Runtime } from "../graph/runtime.js";
import { constant, input, type Shape, showShape, sizeOf, type Tensor } from "../graph/tensor.js";
import { fromFloat32, type HostTensor } from "../io/tensor_data.js";
import { accumulateGradient } from "../kernels/accumulate_gradient/op.js";
import { adamHyper } from "../kernels/adam/op.js";
import { concat } from "../kernels/concat/op.js";
import { gradientStatistics } from "../kernels/gradient_statistics/op.js";
import { gradientStatisticsParts } from "../kernels/gradient_statistics_parts/op.js";
import { HYPER_SIZE, stepGate } from "../kernels/step_gate/op.js";
import { updateRunning } from "../kernels/update_running/op.js";
import { checkConfig, type ModelConfig, sizeMultiple } from "../model/config.js";
import type { StateEntry } from "../model/parameter_store.js";
import { type BatchStatistic, TrainLayers } from "../model/train_layers.js";
import { unet } from "../model/unet.js";
import { type LossName, lossOf } from "./losses.js";
import { OptimizerState, readEntries, type StoredEntry } from "./optimizer_state.js";

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
}

export interface TrainMemory {
  readonly parameterBytes: number;
  readonly optimizerBytes: number;
  /** Activations, gradients and scratch, as planned. */
  readonly activationBytes: number;
}

/** Momentum of the running statistics, as in PyTorch. */
const MOMENTUM = 0.1;
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
    const { config, batch, size, emaDecay = 0, accumulate = 1, onProgress, signal } = options;
    const layers = new TrainLayers(initial);
    const x = input("x", [batch, size, size, 4]);
    const target = input("target", [batch, size, size, 3]);
    const { y } = unet(layers, config, x);
    const loss = lossOf(options.loss, y, target, x);
    const { units } = layers.trained;
    const parameters = units.flatMap(({ parts }) => parts.map(({ tensor }) => tensor));
    const seed = constant("loss gradient", loss.shape, new Float32Array(1).fill(1 / accumulate));
    const found = gradients(new Map([[loss, seed]]), parameters, {
      recompute: options.recompute ? layers.segments : [],
    });
    const grads = units.map((unit) => layers.trained.gather(unit, (tensor) => found.get(tensor) as Tensor));
    const optimizer = new OptimizerState(layers, emaDecay > 0, accumulate > 1);
    const decoupled = options.optimizer.name === "adamw";
    const compileOptions = { onProgress, signal };

    const hyper = input("hyper", [HYPER_SIZE]);
    const decay = input("ema decay", [1]);
    const guard = (gradient: readonly Tensor[]) => {
      const statistics = concat(gradient.map((g, unit) => statisticsOf(g, entriesOf(layers, unit))));
      return { gate: stepGate(statistics, hyper), statistics };
    };
    const updates = (gradient: readonly Tensor[], gate: Tensor): Tensor[] => [
      ...units.flatMap(({ variable }, i) => optimizer.step(variable, gradient[i] as Tensor, i, hyper, gate, decoupled)),
      ...optimizer.average(
        units.map(({ variable }) => variable),
        gate,
        decay,
      ),
    ];
    if (accumulate === 1) {
      const { gate, statistics } = guard(grads);
      const effects = [...updates(grads, gate), ...runningUpdates(layers, gate)];
      const plan = await compile(runtime, { loss, statistics }, { ...compileOptions, effects });
      return new TrainStep(runtime, options, layers, optimizer.entries(layers), plan, null);
    }
    const reset = input("reset", [1]);
    const { gate, statistics } = guard(grads);
    const sums = optimizer.sums.map((sum, i) => accumulateGradient(sum, grads[i] as Tensor, reset));
    const micro = await compile(
      runtime,
      { loss, statistics },
      { ...compileOptions, effects: [...sums, ...runningUpdates(layers, gate)] },
    );
    const total = guard(optimizer.sums);
    const plan = await compile(
      runtime,
      { statistics: total.statistics },
      { ...compileOptions, effects: updates(optimizer.sums, total.gate) },
    );
    return new TrainStep(runtime, options, layers, optimizer.entries(layers), micro, plan);
  }

  /** Runs one step. A step whose gradients are not finite changes nothing but the running statistics' time. */
  async step({ x, target }: TrainBatch, { lr }: { readonly lr: number }): Promise<StepResult> {
    const { accumulate = 1, emaDecay = 0 } = this.options;
    const hyper = this.hyperParameters(lr);
    const feed = { hyper, "ema decay": new Float32Array([emaDecay]) };
    if (!this.update) {
      const { outputs } = await this.micro.run({ x, target, ...feed });
      return this.result(outputs.loss?.[0] ?? Number.NaN, outputs.statistics);
    }
    let loss = 0;
    for (let k = 0; k < accumulate; k++) {
      const part = <T extends Float32Array>(values: T): Float32Array =>
        values.subarray((k * values.length) / accumulate, ((k + 1) * values.length) / accumulate);
      const reset = new Float32Array([k === 0 ? 1 : 0]);
      const { outputs } = await this.micro.run({ x: part(x), target: part(target), reset, ...feed });
      loss += (outputs.loss?.[0] ?? Number.NaN) / accumulate;
    }
    const { outputs } = await this.update.run(feed);
    return this.result(loss, outputs.statistics);
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
    const bytes = (entries: readonly { readonly shape: Shape }[]): number =>
      entries.reduce((sum, { shape }) => sum + sizeOf(shape) * 4, 0);
    const parameterBytes = bytes([...this.layers.parameters, ...this.layers.running.entries]);
    const activationBytes = this.micro.parts.activationBytes + (this.update?.parts.activationBytes ?? 0);
    return { parameterBytes, optimizerBytes: bytes(this.state) - parameterBytes, activationBytes };
  }

  /** What a step dispatches, for benches. */
  get dispatches(): readonly PlannedDispatch[] {
    return [...this.micro.parts.dispatches, ...(this.update?.parts.dispatches ?? [])];
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

  private result(loss: number, statistics: Float32Array | undefined): StepResult {
    let sum = 0;
    const nonFinite: string[] = [];
    const { units } = this.layers.trained;
    const judged = units.flatMap((_, unit) => entriesOf(this.layers, unit));
    judged.forEach(({ key }, i) => {
      sum += statistics?.[2 * i] ?? Number.NaN;
      if ((statistics?.[2 * i + 1] ?? 1) > 0) nonFinite.push(key);
    });
    if (nonFinite.length === 0) this.updates += 1;
    return { loss, gradientNorm: Math.sqrt(sum), nonFinite };
  }
}

/** The parameters of a unit, in the order of its statistics. */
const entriesOf = ({ trained }: TrainLayers, unit: number): StateEntry[] =>
  trained.entries.filter((entry) => entry.unit === unit);

/** Statistics of a unit's gradient, a pair for each of its parameters. */
function statisticsOf(gradient: Tensor, entries: readonly StateEntry[]): Tensor {
  if (entries.length === 1 && sizeOf(entries[0]?.shape ?? []) === sizeOf(gradient.shape)) {
    return gradientStatistics(gradient);
  }
  return gradientStatisticsParts(
    gradient,
    entries.map(({ place, shape }) => ({ start: place, length: sizeOf(shape) })),
  );
}

function runningUpdates({ running, statistics }: TrainLayers, gate: Tensor): Tensor[] {
  const of = (tensor: Tensor): BatchStatistic => {
    const statistic = statistics.get(tensor);
    if (!statistic) throw new Error(`train step: no batch statistic moves ${tensor.name}`);
    return statistic;
  };
  return running.units.map((unit) => {
    const { shape } = unit.variable;
    const scales = new Float32Array(sizeOf(shape));
    for (const { tensor, start } of unit.parts) {
      scales.fill(of(tensor).scale, start, start + sizeOf(tensor.shape));
    }
    const batch = running.gather(unit, (tensor) => of(tensor).batch);
    return updateRunning(unit.variable, batch, gate, constant("scales", shape, scales), { momentum: MOMENTUM });
  });
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
