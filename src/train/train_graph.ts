/**
 * The graphs of one training step: forward, loss, backward, guard, clipping, optimizer, running statistics, average of the
 * weights. With accumulation there are two: a micro-batch adds its gradients up, and the update follows after the last.
 * Building them touches no device, so that they can be looked at without one.
 */
import { gradients } from "../autograd/backward.js";
import { constant, input, sizeOf, type Tensor, variable } from "../graph/tensor.js";
import type { HostTensor } from "../io/tensor_data.js";
import { accumulateGradient } from "../kernels/accumulate_gradient/op.js";
import { adam } from "../kernels/adam/op.js";
import { concat } from "../kernels/concat/op.js";
import { emaUpdate } from "../kernels/ema_update/op.js";
import { gradientStatistics } from "../kernels/gradient_statistics/op.js";
import { HYPER_SIZE, stepGate } from "../kernels/step_gate/op.js";
import { updateRunning } from "../kernels/update_running/op.js";
import { type StateEntry, TrainLayers } from "../model/train_layers.js";
import { unet } from "../model/unet.js";
import { lossOf } from "./losses.js";
import type { TrainStepOptions } from "./train_step.js";

/** Momentum of the running statistics, as in PyTorch. */
const MOMENTUM = 0.1;

export interface TrainGraph {
  /** What a run returns. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** What it computes besides: updates of variables. */
  readonly effects: readonly Tensor[];
}

export interface TrainGraphs {
  readonly layers: TrainLayers;
  /** Everything that training changes. */
  readonly state: readonly StateEntry[];
  readonly micro: TrainGraph;
  /** The update after the last micro-batch; null where a step is one micro-batch and holds it itself. */
  readonly update: TrainGraph | null;
}

/**
 * @param options that `checkTrainOptions` lets pass
 * @param initial state dict by PyTorch key
 */
export function trainGraphs(options: TrainStepOptions, initial: ReadonlyMap<string, HostTensor>): TrainGraphs {
  const { config, batch, size, emaDecay = 0, accumulate = 1 } = options;
  const layers = new TrainLayers(initial);
  const x = input("x", [batch, size, size, 4]);
  const target = input("target", [batch, size, size, 3]);
  const { y } = unet(layers, config, x);
  const loss = lossOf(options.loss, y, target, x);
  const parameters = layers.parameters.map(({ tensor }) => tensor);
  const seed = constant("loss gradient", loss.shape, new Float32Array(1).fill(1 / accumulate));
  const found = gradients(new Map([[loss, seed]]), parameters, {
    recompute: options.recompute ? layers.segments : [],
  });
  const grads = parameters.map((parameter) => found.get(parameter) as Tensor);
  const optimizer = new OptimizerState(layers, emaDecay > 0, accumulate > 1);
  const state = optimizer.entries(layers);

  const hyper = input("hyper", [HYPER_SIZE]);
  const decay = input("ema decay", [1]);
  const guard = (gradient: readonly Tensor[]) => {
    const statistics = concat(gradient.map((g) => gradientStatistics(g)));
    return { gate: stepGate(statistics, hyper), statistics };
  };
  const updates = (gradient: readonly Tensor[], gate: Tensor): Tensor[] => [
    ...parameters.flatMap((parameter, i) => optimizer.step(parameter, gradient[i] as Tensor, i, hyper, gate, options)),
    ...optimizer.average(parameters, gate, decay),
  ];
  if (accumulate === 1) {
    const { gate, statistics } = guard(grads);
    const effects = [...updates(grads, gate), ...runningUpdates(layers, gate)];
    return { layers, state, micro: { outputs: { loss, statistics }, effects }, update: null };
  }
  const reset = input("reset", [1]);
  const { gate, statistics } = guard(grads);
  const sums = optimizer.sums.map((sum, i) => accumulateGradient(sum, grads[i] as Tensor, reset));
  const micro = { outputs: { loss, statistics }, effects: [...sums, ...runningUpdates(layers, gate)] };
  const total = guard(optimizer.sums);
  const update = { outputs: { statistics: total.statistics }, effects: updates(optimizer.sums, total.gate) };
  return { layers, state, micro, update };
}

/** The optimizer's variables beside the parameters. */
class OptimizerState {
  private readonly m: Tensor[];
  private readonly v: Tensor[];
  private readonly ema: Tensor[];
  /** Sums of micro-batches' gradients; empty without accumulation. */
  readonly sums: Tensor[];

  constructor(layers: TrainLayers, keepAverage: boolean, accumulates: boolean) {
    const zeros = (prefix: string): Tensor[] =>
      layers.parameters.map(({ key, tensor }) =>
        variable(`${prefix}/${key}`, tensor.shape, () => new Float32Array(sizeOf(tensor.shape))),
      );
    this.m = zeros("m");
    this.v = zeros("v");
    this.sums = accumulates ? zeros("sum") : [];
    this.ema = keepAverage
      ? layers.parameters.map(({ key, tensor }) => variable(`ema/${key}`, tensor.shape, () => initialOf(tensor)))
      : [];
  }

  step(
    parameter: Tensor,
    gradient: Tensor,
    i: number,
    hyper: Tensor,
    gate: Tensor,
    { optimizer }: TrainStepOptions,
  ): readonly Tensor[] {
    return adam(parameter, gradient, this.m[i] as Tensor, this.v[i] as Tensor, hyper, gate, {
      decoupled: optimizer.name === "adamw",
    });
  }

  /** Takes the parameters' tensors as they are after the step: in-place nodes run in the order they were made. */
  average(parameters: readonly Tensor[], gate: Tensor, decay: Tensor): Tensor[] {
    return this.ema.map((ema, i) => emaUpdate(ema, parameters[i] as Tensor, gate, decay));
  }

  entries({ parameters, buffers }: TrainLayers): StateEntry[] {
    const renamed = (prefix: string, tensors?: readonly Tensor[]): StateEntry[] =>
      parameters.map((entry, i) => ({ ...entry, key: `${prefix}/${entry.key}`, tensor: tensors?.[i] ?? entry.tensor }));
    return [
      ...renamed("param"),
      ...buffers.map((entry) => ({ ...entry, key: `param/${entry.key}` })),
      ...renamed("m", this.m),
      ...renamed("v", this.v),
      ...(this.ema.length > 0 ? renamed("ema", this.ema) : []),
    ];
  }
}

function initialOf({ source }: Tensor): Float32Array {
  if (source.kind !== "variable") throw new Error("train step: a parameter is not a variable");
  return source.variable.initial();
}

function runningUpdates({ statistics }: TrainLayers, gate: Tensor): Tensor[] {
  return statistics.flatMap(({ mean, variance, batchMean, batchVariance, count }) => [
    updateRunning(mean, batchMean, gate, { momentum: MOMENTUM, scale: 1 }),
    updateRunning(variance, batchVariance, gate, { momentum: MOMENTUM, scale: count / Math.max(1, count - 1) }),
  ]);
}
