/** What an optimizer keeps beside the parameters, laid out as they are: a variable for each of theirs. */
import type { Runtime } from "../graph/runtime.js";
import { sizeOf, type Tensor, variable } from "../graph/tensor.js";
import { adam } from "../kernels/adam/op.js";
import { emaUpdate } from "../kernels/ema_update/op.js";
import type { ParameterStore, StateEntry } from "../model/parameter_store.js";
import type { TrainLayers } from "../model/train_layers.js";

/** The optimizer's variables beside the parameters. */
export class OptimizerState {
  private readonly m: Tensor[];
  private readonly v: Tensor[];
  private readonly ema: Tensor[];
  /** Sums of micro-batches' gradients; empty without accumulation. */
  readonly sums: Tensor[];

  constructor(layers: TrainLayers, keepAverage: boolean, accumulates: boolean) {
    const { units } = layers.trained;
    const zeros = (prefix: string): Tensor[] =>
      units.map(({ variable: { name, shape } }) =>
        variable(`${prefix}/${name}`, shape, () => new Float32Array(sizeOf(shape))),
      );
    this.m = zeros("m");
    this.v = zeros("v");
    this.sums = accumulates ? zeros("sum") : [];
    this.ema = keepAverage
      ? units.map(({ variable: whole }) => variable(`ema/${whole.name}`, whole.shape, () => initialOf(whole)))
      : [];
  }

  step(
    parameter: Tensor,
    gradient: Tensor,
    i: number,
    hyper: Tensor,
    gate: Tensor,
    decoupled: boolean,
  ): readonly Tensor[] {
    return adam(parameter, gradient, this.m[i] as Tensor, this.v[i] as Tensor, hyper, gate, {
      decoupled,
    });
  }

  /** Takes the parameters' tensors as they are after the step: in-place nodes run in the order they were made. */
  average(parameters: readonly Tensor[], gate: Tensor, decay: Tensor): Tensor[] {
    return this.ema.map((ema, i) => emaUpdate(ema, parameters[i] as Tensor, gate, decay));
  }

  entries({ trained, running }: TrainLayers): StoredEntry[] {
    const stored = ({ entries, units }: ParameterStore, prefix: string, of = units.map(({ variable }) => variable)) =>
      entries.map((entry) => ({ ...entry, key: `${prefix}/${entry.key}`, variable: of[entry.unit] as Tensor }));
    return [
      ...stored(trained, "param"),
      ...stored(running, "param"),
      ...stored(trained, "m", this.m),
      ...stored(trained, "v", this.v),
      ...(this.ema.length > 0 ? stored(trained, "ema", this.ema) : []),
    ];
  }
}

/** An entry of the state, and the variable that it lies in at its place. */
export interface StoredEntry extends StateEntry {
  readonly variable: Tensor;
}

/** The entries' values in the kernels' layouts. */
export async function readEntries(runtime: Runtime, entries: readonly StoredEntry[]): Promise<Float32Array[]> {
  const variables = [...new Set(entries.map(({ variable }) => variable))];
  const read = await runtime.variables.read(variables);
  const values = new Map(variables.map((variable, i) => [variable, read[i] ?? new Float32Array(0)]));
  return entries.map(
    ({ variable, place, shape }) => values.get(variable)?.slice(place, place + sizeOf(shape)) ?? new Float32Array(0),
  );
}

function initialOf({ source }: Tensor): Float32Array {
  if (source.kind !== "variable") throw new Error("train step: a parameter is not a variable");
  return source.variable.initial();
}
