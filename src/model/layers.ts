/**
 * The parts that networks are made of, for inference: each takes its parameters by their PyTorch key, and batch norm
 * is folded into the convolution before it. This is the only place that knows PyTorch's layouts.
 */
import { type ConstantSource, constantFrom, type DType, type Shape, sizeOf, type Tensor } from "../graph/tensor.js";
import type { ActivationAttrs } from "../kernels/activation.js";
import { type AttentionGates, attentionGates } from "../kernels/attention_gates/op.js";
import { type GatePart, gateParts, packedShape } from "../kernels/attention_gates/packing.js";
import { convTranspose2d } from "../kernels/conv_transpose2d/op.js";
import { conv2d } from "../kernels/conv2d/op.js";
import { type CompositionInputs, conv2dCompose } from "../kernels/conv2d_compose/op.js";
import { linear } from "../kernels/linear/op.js";
import { type TileOrders, tileOrder } from "../kernels/tile_order/op.js";
import { foldedNorm, NORM_PARTS } from "./fold.js";
import { packConv, transpose } from "./repack.js";

/** Parameters by PyTorch key, in PyTorch's order of elements. Asked for while a graph is built, read when it is compiled. */
export interface ParameterSource {
  get(key: string, shape: Shape): () => Float32Array;
}

export interface ConvOptions extends ActivationAttrs {
  readonly channels: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  /** Key of the batch norm that follows. */
  readonly norm?: string | undefined;
  readonly bias?: boolean;
  /** Scales the channels of each image of x, [N, C_in]. */
  readonly gate?: Tensor | undefined;
  /** Inference may compute the result in the tiles that this order needs, and leave the rest as it is. */
  readonly tiles?: Tensor | undefined;
  /** How the result is stored, where that is not the network's to choose. */
  readonly dtype?: DType;
}

export interface UpConvOptions extends Omit<ConvOptions, "gate" | "tiles"> {
  /** Added to the result. */
  readonly addend?: Tensor | undefined;
}

export interface GatesOptions {
  /** What the gates' results are called. */
  readonly key: string;
  /** Of the gates' layers, in the order of their packing: `KEY.0`, `KEY.2`. */
  readonly keys: readonly string[];
  /** Hidden units of a gate. */
  readonly units: number;
}

export interface LinearOptions extends ActivationAttrs {
  readonly outputs: number;
}

/** What a network asks for; inference and training answer it each in their way. */
export interface Layers {
  /** A convolution, its batch norm where `norm` is given, and its activation. Weight `key.weight` [C_out, C_in, R, S]. */
  conv(x: Tensor, key: string, options: ConvOptions): Tensor;
  /** A transposed convolution of relu(x), and its batch norm. Weight `key.weight` [C_in, C_out, R, S]. */
  convTransposeOfRelu(x: Tensor, key: string, options: UpConvOptions): Tensor;
  /** S2AM's channel gates. Weights `KEY.0.weight` [units, 2 C] and `KEY.2.weight` [C, units], their biases beside them. */
  gates(x: Tensor, options: GatesOptions): AttentionGates;
  /** A fully connected layer of x [N, K] with its bias. Weight `key.weight` [outputs, K]. */
  linear(x: Tensor, key: string, options: LinearOptions): Tensor;
  /** `conv`, and equation (1) of S2AM on its result. */
  composedConv(x: Tensor, key: string, options: ConvOptions, composition: CompositionInputs, name: string): Tensor;
  /** Where the learned block is needed under a mask [N, H, W, 1]; null where it is everywhere. */
  tileOrder(m: Tensor): TileOrders | null;
  /** Builds a part whose activations training may compute again rather than keep. */
  segment(build: () => Tensor): Tensor;
}

export class InferenceLayers implements Layers {
  /** One source a parameter, so that graphs of several resolutions share their uploads. */
  private readonly sources: Map<string, ConstantSource>;

  /**
   * @param dtype how activations and the weights of convolutions are stored; what is small or sensitive stays f32: biases,
   *   gates and what they are made from, masks
   */
  constructor(
    private readonly parameters: ParameterSource,
    readonly dtype: DType = "f32",
    like?: InferenceLayers,
  ) {
    this.sources = like?.sources ?? new Map();
  }

  /** The same parameters, stored in another way. */
  as(dtype: DType): InferenceLayers {
    return dtype === this.dtype ? this : new InferenceLayers(this.parameters, dtype, this);
  }

  conv(x: Tensor, key: string, options: ConvOptions): Tensor {
    const { weight, bias, attrs } = this.convOperands(x, key, options);
    return conv2d(x, weight, bias, attrs, { name: key, gate: options.gate, tiles: options.tiles });
  }

  composedConv(x: Tensor, key: string, options: ConvOptions, composition: CompositionInputs, name: string): Tensor {
    const { weight, bias, attrs } = this.convOperands(x, key, options);
    return conv2dCompose(x, weight, bias, composition, attrs, { name });
  }

  convTransposeOfRelu(
    x: Tensor,
    key: string,
    { channels, kernel, stride, padding, norm, bias, addend, dtype, ...activation }: UpConvOptions,
  ): Tensor {
    const cIn = x.shape[3] ?? 0;
    const weight = this.convWeight(key, cIn, channels, kernel, norm && { key: norm, axis: 1 });
    const attrs = { stride, padding, reluInput: true, ...activation, ...this.result(dtype) };
    return convTranspose2d(x, weight, this.convBias(key, channels, norm, bias), attrs, { name: key, addend });
  }

  gates(x: Tensor, { key, keys, units }: GatesOptions): AttentionGates {
    const size = { channels: x.shape[3] ?? 0, units };
    const shape = packedShape(size);
    const pieces = keys.flatMap((gateKey, gate) => {
      const [w1, b1, w2, b2] = gateParts(gate, size);
      const layer = (name: string, weight: GatePart, bias: GatePart) => {
        const [inputs = 0, outputs = 0] = weight.shape;
        const values = this.parameters.get(`${name}.weight`, [outputs, inputs]);
        return [
          { start: weight.start, load: () => transpose(values(), outputs, inputs) },
          { start: bias.start, load: this.parameters.get(`${name}.bias`, bias.shape) },
        ];
      };
      return [...layer(`${gateKey}.0`, w1, b1), ...layer(`${gateKey}.2`, w2, b2)];
    });
    const packed = this.constant(`${key}.gates`, shape, () => {
      const values = new Float32Array(sizeOf(shape));
      for (const { start, load } of pieces) values.set(load(), start);
      return values;
    });
    return attentionGates(x, packed, { name: `${key}.gates` });
  }

  linear(x: Tensor, key: string, { outputs, ...activation }: LinearOptions): Tensor {
    const inputs = x.shape[1] ?? 0;
    const values = this.parameters.get(`${key}.weight`, [outputs, inputs]);
    const weight = this.constant(`${key}.weight`, [inputs, outputs], () => transpose(values(), outputs, inputs));
    const bias = this.constant(`${key}.bias`, [outputs], this.parameters.get(`${key}.bias`, [outputs]));
    return linear(x, weight, bias, activation, { name: key });
  }

  tileOrder(m: Tensor): TileOrders {
    return tileOrder(m);
  }

  segment(build: () => Tensor): Tensor {
    return build();
  }

  private convOperands(x: Tensor, key: string, options: ConvOptions) {
    const { channels, kernel, stride, padding, norm, bias, gate, tiles, dtype, ...activation } = options;
    return {
      weight: this.convWeight(key, channels, x.shape[3] ?? 0, kernel, norm && { key: norm, axis: 0 }),
      bias: this.convBias(key, channels, norm, bias),
      attrs: { stride, padding, ...activation, ...this.result(dtype) },
    };
  }

  /** An attribute for results that are not stored as the weights are. */
  private result = (dtype: DType | undefined): { dtype?: DType } =>
    dtype === undefined || dtype === this.dtype ? {} : { dtype };

  private constant(name: string, shape: Shape, load: () => Float32Array, dtype: DType = "f32"): Tensor {
    let source = this.sources.get(name);
    if (!source) {
      source = { name, load };
      this.sources.set(name, source);
    }
    return constantFrom(source, shape, dtype);
  }

  /** [outer, inner, R, S] to [R, S, inner, outer], scaled by the batch norm of one of the two channel axes. */
  private convWeight(
    key: string,
    outer: number,
    inner: number,
    kernel: number,
    norm?: { key: string; axis: 0 | 1 } | "",
  ): Tensor {
    const values = this.parameters.get(`${key}.weight`, [outer, inner, kernel, kernel]);
    const axis = norm ? norm.axis : 0;
    const folded = norm ? this.fold(norm.key, axis === 0 ? outer : inner) : null;
    const load = () =>
      packConv(values(), outer, inner, kernel * kernel, folded ? { factors: folded().scale, axis } : undefined);
    return this.constant(`${key}.weight`, [kernel, kernel, inner, outer], load, this.dtype);
  }

  private convBias(key: string, channels: number, norm: string | undefined, bias = false): Tensor | null {
    if (norm) {
      const folded = this.fold(norm, channels);
      return this.constant(`${norm}.shift`, [channels], () => folded().shift);
    }
    return bias ? this.constant(`${key}.bias`, [channels], this.parameters.get(`${key}.bias`, [channels])) : null;
  }

  private fold(key: string, channels: number): () => { scale: Float64Array; shift: Float32Array } {
    const read = NORM_PARTS.map((name) => this.parameters.get(`${key}.${name}`, [channels]));
    return () => foldedNorm(read.map((values) => values()));
  }
}
