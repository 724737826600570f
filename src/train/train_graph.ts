/**
 * The graphs of one training step: forward, loss, backward, guard, clipping, optimizer, running statistics, average of the
 * weights. With accumulation there are two: a micro-batch adds its gradients up, and the update follows after the last.
 * Building them touches no device, so that they can be looked at without one.
 */
import { gradients } from "../autograd/backward.js";
import { constant, input, sizeOf, type Tensor } from "../graph/tensor.js";
import type { HostTensor } from "../io/tensor_data.js";
import { accumulateGradient } from "../kernels/accumulate_gradient/op.js";
import { concat } from "../kernels/concat/op.js";
import { gradientStatistics } from "../kernels/gradient_statistics/op.js";
import { gradientStatisticsParts } from "../kernels/gradient_statistics_parts/op.js";
import { HYPER_SIZE, stepGate } from "../kernels/step_gate/op.js";
import { updateRunning } from "../kernels/update_running/op.js";
import type { StateEntry } from "../model/parameter_store.js";
import { type BatchStatistic, TrainLayers } from "../model/train_layers.js";
import { unet } from "../model/unet.js";
import { lossOf } from "./losses.js";
import { OptimizerState, type StoredEntry } from "./optimizer_state.js";
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
  readonly state: readonly StoredEntry[];
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
  const { units } = layers.trained;
  const parameters = units.flatMap(({ parts }) => parts.map(({ tensor }) => tensor));
  const seed = constant("loss gradient", loss.shape, new Float32Array(1).fill(1 / accumulate));
  const found = gradients(new Map([[loss, seed]]), parameters, {
    recompute: options.recompute ? layers.segments : [],
  });
  const grads = units.map((unit) => layers.trained.gather(unit, (tensor) => found.get(tensor) as Tensor));
  const optimizer = new OptimizerState(layers, emaDecay > 0, accumulate > 1);
  const state = optimizer.entries(layers);

  const decoupled = options.optimizer.name === "adamw";

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

/** The parameters of a unit, in the order of its statistics. */
export const entriesOf = ({ trained }: TrainLayers, unit: number): StateEntry[] =>
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
