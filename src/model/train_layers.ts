/**
 * The parts that networks are made of, for training: parameters are variables, batch norm uses the batch's statistics.
 * Collects what a train step needs: parameters by key, and the running statistics that the batches update.
 */
import { type IdRange, idsOf, type Shape, sizeOf, type Tensor } from "../graph/tensor.js";
import type { HostTensor } from "../io/tensor_data.js";
import type { ActivationAttrs } from "../kernels/activation.js";
import { type AttentionGates, attentionGates } from "../kernels/attention_gates/op.js";
import { type GatePart, gateParts, packedShape } from "../kernels/attention_gates/packing.js";
import { batchNormTrain } from "../kernels/batch_norm_train/op.js";
import { convTranspose2d } from "../kernels/conv_transpose2d/op.js";
import { conv2d } from "../kernels/conv2d/op.js";
import type { CompositionInputs } from "../kernels/conv2d_compose/op.js";
import { linear } from "../kernels/linear/op.js";
import { s2amCompose } from "../kernels/s2am_compose/op.js";
import { BATCH_NORM_EPS } from "./fold.js";
import type { ConvOptions, GatesOptions, Layers, LinearOptions, UpConvOptions } from "./layers.js";
import { type Conversion, type EntrySpec, ParameterStore, type StateEntry } from "./parameter_store.js";
import { packConv, transpose, unpackConv } from "./repack.js";

/** Statistics of a batch that a running one is moved by. */
export interface BatchStatistic {
  readonly batch: Tensor;
  /** Makes PyTorch's of it: its running variance is the unbiased one. */
  readonly scale: number;
}

export class TrainLayers implements Layers {
  readonly trained: ParameterStore;
  /** Running means and variances. */
  readonly running: ParameterStore;
  /** By the running statistic's tensor. */
  readonly statistics = new Map<Tensor, BatchStatistic>();
  /** What `segment` built. */
  readonly segments: IdRange[] = [];

  /** @param initial the state dict to start from, by PyTorch key */
  constructor(initial: ReadonlyMap<string, HostTensor>) {
    this.trained = new ParameterStore("small parameters", initial);
    this.running = new ParameterStore("running statistics", initial);
  }

  /** Trained parameters, in the order the network asked for them. */
  get parameters(): readonly StateEntry[] {
    return this.trained.entries;
  }

  conv(
    x: Tensor,
    key: string,
    { channels, kernel, stride, padding, norm, bias, gate, tiles: _tiles, dtype: _, ...activation }: ConvOptions,
  ): Tensor {
    const weight = this.convWeight(key, channels, x.shape[3] ?? 0, kernel);
    const own = norm ? {} : activation;
    const y = conv2d(x, weight, this.bias(key, channels, bias), { stride, padding, ...own }, { name: key, gate });
    return norm ? this.norm(y, norm, activation) : y;
  }

  /** In two, for the composition's gradient needs what the convolution made. */
  composedConv(
    x: Tensor,
    key: string,
    options: ConvOptions,
    { features, gates, m }: CompositionInputs,
    name: string,
  ): Tensor {
    return s2amCompose({ l: this.conv(x, key, options), x: features, gates, m }, {}, { name });
  }

  convTransposeOfRelu(
    x: Tensor,
    key: string,
    { channels, kernel, stride, padding, norm, bias, addend, dtype: _, ...activation }: UpConvOptions,
  ): Tensor {
    const weight = this.convWeight(key, x.shape[3] ?? 0, channels, kernel);
    const own = norm ? {} : activation;
    const attrs = { stride, padding, reluInput: true, ...own };
    if (norm && addend) throw new Error(`${key}: an addend before a batch norm would be normalised too`);
    const y = convTranspose2d(x, weight, this.bias(key, channels, bias), attrs, { name: key, addend });
    return norm ? this.norm(y, norm, activation) : y;
  }

  gates(x: Tensor, { key, keys, units }: GatesOptions): AttentionGates {
    const size = { channels: x.shape[3] ?? 0, units };
    const specs = keys.flatMap((gateKey, gate) => {
      const [w1, b1, w2, b2] = gateParts(gate, size);
      const layer = (name: string, weight: GatePart, bias: GatePart): EntrySpec[] => {
        const [inputs = 0, outputs = 0] = weight.shape;
        return [
          {
            key: `${name}.weight`,
            shape: [outputs, inputs],
            start: weight.start,
            toPyTorch: (values) => transpose(values, inputs, outputs),
            fromPyTorch: (values) => transpose(values, outputs, inputs),
          },
          { key: `${name}.bias`, shape: bias.shape, start: bias.start },
        ];
      };
      return [...layer(`${gateKey}.0`, w1, b1), ...layer(`${gateKey}.2`, w2, b2)];
    });
    const packed = this.trained.add(`${key}.gates`, packedShape(size), specs);
    return attentionGates(x, packed, { name: `${key}.gates` });
  }

  linear(x: Tensor, key: string, { outputs, ...activation }: LinearOptions): Tensor {
    const inputs = x.shape[1] ?? 0;
    const weight = this.parameter(`${key}.weight`, [outputs, inputs], [inputs, outputs], {
      toPyTorch: (values) => transpose(values, inputs, outputs),
      fromPyTorch: (values) => transpose(values, outputs, inputs),
    });
    return linear(x, weight, this.bias(key, outputs, true), activation, { name: key });
  }

  /** Everywhere: batch norm takes the statistics of all pixels. */
  tileOrder(): null {
    return null;
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

  private norm(x: Tensor, norm: string, activation: ActivationAttrs): Tensor {
    const channels = x.shape[3] ?? 0;
    const weight = this.parameter(`${norm}.weight`, [channels]);
    const bias = this.parameter(`${norm}.bias`, [channels]);
    const { y, mean, variance } = batchNormTrain(
      x,
      weight,
      bias,
      { eps: BATCH_NORM_EPS, ...activation },
      { name: norm },
    );
    const count = sizeOf(x.shape) / channels;
    const track = (name: string, batch: Tensor, scale: number): void => {
      const key = `${norm}.${name}`;
      this.statistics.set(this.running.add(key, [channels], [{ key, shape: [channels] }]), { batch, scale });
    };
    track("running_mean", mean, 1);
    track("running_var", variance, count / Math.max(1, count - 1));
    return y;
  }

  private parameter(key: string, shape: Shape, packed = shape, convert: Partial<Conversion> = {}): Tensor {
    return this.trained.add(key, packed, [{ key, shape, ...convert }]);
  }
}
