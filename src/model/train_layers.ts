/**
 * The parts that networks are made of, for training: parameters are variables, batch norm uses the batch's statistics.
 * Collects what a train step needs: parameters by key, and the running statistics that the batches update.
 */
import { type IdRange, idsOf, type Shape, sizeOf, type Tensor, variable } from "../graph/tensor.js";
import { fromFloat32, type HostTensor, toFloat32 } from "../io/tensor_data.js";
import type { ActivationAttrs } from "../kernels/activation.js";
import { batchNormTrain } from "../kernels/batch_norm_train/op.js";
import { convTranspose2d } from "../kernels/conv_transpose2d/op.js";
import { conv2d } from "../kernels/conv2d/op.js";
import { linear } from "../kernels/linear/op.js";
import { BATCH_NORM_EPS, type ConvOptions, type Layers } from "./layers.js";
import { packConv, transpose, unpackConv } from "./repack.js";

/** A tensor of the state dict: the variable that holds it, and its way to PyTorch's layout and back. */
export interface StateEntry {
  readonly key: string;
  readonly tensor: Tensor;
  /** PyTorch's. */
  readonly shape: Shape;
  toPyTorch(values: Float32Array): Float32Array;
  fromPyTorch(values: Float32Array): Float32Array;
}

/** Running statistics of one batch norm, and the batch's statistics that move them. */
export interface RunningStatistics {
  readonly mean: Tensor;
  readonly variance: Tensor;
  readonly batchMean: Tensor;
  readonly batchVariance: Tensor;
  /** Values a channel in the batch: PyTorch's running variance is the unbiased one. */
  readonly count: number;
}

const same = (values: Float32Array): Float32Array => values;

export class TrainLayers implements Layers {
  /** Trained parameters, in the order the network asked for them. */
  readonly parameters: StateEntry[] = [];
  /** Running means and variances. */
  readonly buffers: StateEntry[] = [];
  readonly statistics: RunningStatistics[] = [];
  /** What `segment` built. */
  readonly segments: IdRange[] = [];

  /** @param initial the state dict to start from, by PyTorch key */
  constructor(private readonly initial: ReadonlyMap<string, HostTensor>) {}

  conv(
    x: Tensor,
    key: string,
    { channels, kernel, stride, padding, norm, bias, dtype: _, ...activation }: ConvOptions,
  ): Tensor {
    const weight = this.convWeight(key, channels, x.shape[3] ?? 0, kernel);
    const own = norm ? {} : activation;
    const y = conv2d(x, weight, this.bias(key, channels, bias), { stride, padding, ...own }, { name: key });
    return norm ? this.norm(y, norm, activation) : y;
  }

  convTransposeOfRelu(
    x: Tensor,
    key: string,
    { channels, kernel, stride, padding, norm, bias, dtype: _, ...activation }: ConvOptions,
  ): Tensor {
    const weight = this.convWeight(key, x.shape[3] ?? 0, channels, kernel);
    const own = norm ? {} : activation;
    const attrs = { stride, padding, reluInput: true, ...own };
    const y = convTranspose2d(x, weight, this.bias(key, channels, bias), attrs, { name: key });
    return norm ? this.norm(y, norm, activation) : y;
  }

  linear(x: Tensor, key: string, units: number, activation: ActivationAttrs): Tensor {
    const k = x.shape[1] ?? 0;
    const weight = this.parameter(`${key}.weight`, [units, k], [k, units], {
      toPyTorch: (values) => transpose(values, k, units),
      fromPyTorch: (values) => transpose(values, units, k),
    });
    return linear(x, weight, this.parameter(`${key}.bias`, [units]), activation, { name: key });
  }

  segment(build: () => Tensor): Tensor {
    const { value, ids } = idsOf(build);
    this.segments.push(ids);
    return value;
  }

  private convWeight(key: string, outer: number, inner: number, kernel: number): Tensor {
    const taps = kernel * kernel;
    return this.parameter(`${key}.weight`, [outer, inner, kernel, kernel], [kernel, kernel, inner, outer], {
      toPyTorch: (values) => unpackConv(values, outer, inner, taps),
      fromPyTorch: (values) => packConv(values, outer, inner, taps),
    });
  }

  private bias(key: string, channels: number, wanted = false): Tensor | null {
    return wanted ? this.parameter(`${key}.bias`, [channels]) : null;
  }

  private norm(x: Tensor, key: string, activation: ActivationAttrs): Tensor {
    const channels = x.shape[3] ?? 0;
    const weight = this.parameter(`${key}.weight`, [channels]);
    const bias = this.parameter(`${key}.bias`, [channels]);
    const { y, mean, variance } = batchNormTrain(
      x,
      weight,
      bias,
      { eps: BATCH_NORM_EPS, ...activation },
      { name: key },
    );
    this.statistics.push({
      mean: this.entry(this.buffers, `${key}.running_mean`, [channels], [channels]),
      variance: this.entry(this.buffers, `${key}.running_var`, [channels], [channels]),
      batchMean: mean,
      batchVariance: variance,
      count: sizeOf(x.shape) / channels,
    });
    return y;
  }

  private parameter(
    key: string,
    shape: Shape,
    packed = shape,
    convert?: Pick<StateEntry, "toPyTorch" | "fromPyTorch">,
  ): Tensor {
    return this.entry(this.parameters, key, shape, packed, convert);
  }

  private entry(
    list: StateEntry[],
    key: string,
    shape: Shape,
    packed: Shape,
    convert: Pick<StateEntry, "toPyTorch" | "fromPyTorch"> = { toPyTorch: same, fromPyTorch: same },
  ): Tensor {
    const initial = this.initial.get(key);
    if (!initial) throw new Error(`training: no initial values for ${key}`);
    const tensor = variable(key, packed, () => convert.fromPyTorch(toFloat32(initial)));
    list.push({ key, tensor, shape, ...convert });
    return tensor;
  }
}

/** Read-back values of state entries as a state dict in PyTorch's layouts. */
export const toStateDict = (entries: readonly StateEntry[], values: readonly Float32Array[]): Map<string, HostTensor> =>
  new Map(
    entries.map(({ key, shape, toPyTorch }, i) => [
      key,
      fromFloat32(toPyTorch(values[i] ?? new Float32Array(0)), shape, "F32"),
    ]),
  );
