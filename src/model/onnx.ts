/**
 * A network as an ONNX graph, in PyTorch's layouts and with PyTorch's keys as names. It is written from the state dict
 * and not from this engine's graph, whose ops are what its kernels fuse; the test that compares both in ONNX Runtime
 * holds the two descriptions together. Batch norm is folded into the convolution before it, in float64, as this engine
 * does: runtimes fold it into a convolution too, but not into a transposed one.
 */
import { UsageError } from "../errors.js";
import { type OnnxAttribute, OnnxGraph, type OnnxModel } from "../io/onnx/model.js";
import { elementCount, type HostTensor, toFloat32 } from "../io/tensor_data.js";
import { blurTaps } from "../kernels/gaussian_blur/taps.js";
import { channelsAt, lacks, type ModelConfig, metadataOf, sizeMultiple } from "./config.js";
import { foldedNorm, NORM_PARTS } from "./fold.js";
import { ATTENTION_LEVELS, levelKey } from "./unet.js";

export interface OnnxOptions {
  /** Images a run; without it each run may choose. */
  readonly batch?: number | undefined;
  /** Side of the square input; without it each run may choose height and width. */
  readonly size?: number | undefined;
  /** Of this package. */
  readonly version: string;
}

const DOWN = { kernel: 4, stride: 2, padding: 1 } as const;
const SAME = { kernel: 3, stride: 1, padding: 1 } as const;
type Window = typeof DOWN | typeof SAME;

/**
 * @param tensors the state dict by PyTorch key, as `loadModel` accepted it for `config`
 * @returns a model from `x` [batch, 4, H, W], RGB in [0, 1] and the mask, to `y` [batch, 3, H, W], not clamped
 * @throws UsageError where `size` is not a multiple of 2^levels
 */
export function onnxModel(
  tensors: ReadonlyMap<string, HostTensor>,
  config: ModelConfig,
  { batch = 0, size = 0, version }: OnnxOptions,
): OnnxModel {
  const multiple = sizeMultiple(config);
  if (size % multiple !== 0) {
    throw new UsageError(`size must be a multiple of ${multiple} for ${config.levels} levels (2^levels), got ${size}`);
  }
  const graph = new OnnxUNet(tensors, config).build();
  const [n, h, w] = [batch || "batch", size || "height", size || "width"];
  const sides = `height and width multiples of ${multiple}`;
  return {
    producer: "s2am-webgpu",
    producerVersion: version,
    name: `${config.arch} width ${config.width}, ${config.levels} levels`,
    doc:
      "Image harmonization (S2AM, arXiv 1907.06406). Feed RGB / 255 and the mask (1 in the region to change, else 0; from 0 to 1); " +
      `${sides} (pad by reflection). Clamp y to [0, 1] and take it where the mask is set.`,
    metadata: { ...metadataOf(config), size_multiple: String(multiple) },
    inputs: [{ name: "x", shape: [n, 4, h, w], doc: `red, green, blue in [0, 1], and the mask; ${sides}` }],
    outputs: [{ name: "y", shape: [n, 3, h, w], doc: "the harmonized red, green, blue, not clamped" }],
    initializers: graph.initializers,
    nodes: graph.nodes,
  };
}

/** A batch norm, and which axis of the weight its channels are. */
interface Norm {
  readonly key: string;
  readonly axis: 0 | 1;
}

class OnnxUNet {
  private readonly graph = new OnnxGraph();

  constructor(
    private readonly tensors: ReadonlyMap<string, HostTensor>,
    private readonly config: ModelConfig,
  ) {}

  build(): OnnxGraph {
    const { globalSkip, arch } = this.config;
    const mask = arch === "unet" ? "" : this.channels("mask", 3, 4);
    const outermost = this.conv("x", `${levelKey(0)}.down.0`, DOWN, null);
    const joined = this.level(1, this.leakyRelu(outermost, levelKey(1)), mask);
    const up = `${levelKey(0)}.up.1`;
    const rectified = this.graph.node("Relu", `${levelKey(0)}.up.0`, [joined]);
    const net = this.conv(rectified, up, DOWN, null, { transposed: true, bias: true, output: globalSkip ? up : "y" });
    if (globalSkip) this.graph.node("Add", "global_skip", [this.channels("rgb", 0, 3), net], {}, "y");
    return this.graph;
  }

  /** Level k from its leaky-rectified input, which its skip carries too: the published code rectifies in place. */
  private level(k: number, x: string, mask: string): string {
    const { levels, arch } = this.config;
    const key = levelKey(k);
    const innermost = k === levels - 1;
    const down = this.conv(x, `${key}.down.1`, DOWN, innermost ? null : { key: `${key}.down.2`, axis: 0 });
    const inner = innermost ? down : this.level(k + 1, this.leakyRelu(down, levelKey(k + 1)), mask);
    const rectified = this.graph.node("Relu", `${key}.up.0`, [inner]);
    const up = this.conv(rectified, `${key}.up.1`, DOWN, { key: `${key}.up.2`, axis: 1 }, { transposed: true });
    const attends = ATTENTION_LEVELS.includes(k);
    const channels = channelsAt(this.config, k - 1);
    const skip = attends && arch === "s2asc" ? this.s2am(k, x, channels, mask) : x;
    const joined = this.graph.node("Concat", `${key}.joined`, [skip, up], { axis: { int: 1 } });
    return attends && arch === "s2ad" ? this.s2am(k, joined, 2 * channels, mask) : joined;
  }

  /** y = M * [L(Gfg(x)) + Gmix(x)] + (1 - M) * Gbg(x). @param x of `channels` channels, 1 / 2^k of the input's size */
  private s2am(k: number, x: string, channels: number, mask: string): string {
    const key = `${levelKey(k)}.attention`;
    const { graph, config } = this;
    const pooled = lacks(config, "gates") ? "" : this.pooled(x, key);
    const gated = (name: string): string => {
      if (lacks(config, "gates")) return x;
      const gate = this.gate(pooled, `${key}.${name}_attention.fc`, channels);
      return graph.node("Mul", `${key}.${name}`, [x, gate]);
    };
    const spliced = gated("spliced");
    const learned = lacks(config, "learned") ? spliced : this.learnableBlock(spliced, `${key}.connection`);
    const [inside, outside] = this.levelMask(k, mask, key);
    const foreground = lacks(config, "mixed")
      ? learned
      : graph.node("Add", `${key}.foreground`, [learned, gated("mixed")]);
    const terms = [
      graph.node("Mul", `${key}.inside`, [foreground, inside]),
      graph.node("Mul", `${key}.outside`, [gated("background"), outside]),
    ];
    return graph.node("Add", key, terms);
  }

  /** Averages, then maxima of the channels, [N, 2 C]. */
  private pooled(x: string, key: string): string {
    const { graph } = this;
    const average = graph.node("GlobalAveragePool", `${key}.average`, [x]);
    const largest = graph.node("GlobalMaxPool", `${key}.largest`, [x]);
    const both = graph.node("Concat", `${key}.pooled`, [average, largest], { axis: { int: 1 } });
    return graph.node("Flatten", `${key}.pooled.flat`, [both], { axis: { int: 1 } });
  }

  /** sigmoid(W2 relu(W1 pooled)), [N, C, 1, 1]. */
  private gate(pooled: string, key: string, channels: number): string {
    const { graph } = this;
    const gemm = (x: string, name: string): string =>
      graph.node("Gemm", name, [x, this.weight(`${name}.weight`), this.weight(`${name}.bias`)], { transB: { int: 1 } });
    const hidden = graph.node("Relu", `${key}.1`, [gemm(pooled, `${key}.0`)]);
    const open = graph.node("Sigmoid", `${key}.3`, [gemm(hidden, `${key}.2`)]);
    const shape = graph.ints(`${key}.shape`, [-1, channels, 1, 1]);
    return graph.node("Reshape", `${key}.gate`, [open, shape]);
  }

  private learnableBlock(x: string, key: string): string {
    const wide = this.conv(x, `${key}.rconv1`, SAME, { key: `${key}.rbn1`, axis: 0 });
    const elu = this.graph.node("Elu", `${key}.elu1`, [wide]);
    return this.graph.node("Elu", `${key}.elu2`, [
      this.conv(elu, `${key}.rconv2`, SAME, { key: `${key}.rbn2`, axis: 0 }),
    ]);
  }

  /**
   * M and 1 - M at 1 / 2^k of the size: the mean of each cell's top-left 2 x 2 pixels, rounded, then blurred, the edge
   * mirrored. The published code rounds halves to even. Of a mask in 0 to 1 that is ceil(mean - 1/2), which ONNX Runtime
   * computes on a GPU; Round it has only on the CPU, so that every mask would make the GPU wait.
   */
  private levelMask(k: number, mask: string, key: string): [inside: string, outside: string] {
    const { graph } = this;
    const stride = 2 ** k;
    const pooling = { kernel_shape: { ints: [2, 2] }, strides: { ints: [stride, stride] } };
    const mean = graph.node("AveragePool", `${key}.mask.pooled`, [mask], pooling);
    const half = graph.tensor(`${key}.half`, [], () => new Float32Array([0.5]));
    const hard = graph.node("Ceil", `${key}.mask`, [graph.node("Sub", `${key}.mask.less_half`, [mean, half])]);
    const inside = lacks(this.config, "blur") ? hard : this.blurred(hard, key);
    const one = graph.tensor(`${key}.one`, [], () => new Float32Array([1]));
    return [inside, graph.node("Sub", `${key}.gaussianMask.complement`, [one, inside])];
  }

  private blurred(hard: string, key: string): string {
    const { graph } = this;
    const byDistance = blurTaps(this.config.blur);
    const taps = [...byDistance.slice(1).reverse(), ...byDistance];
    const radius = byDistance.length - 1;
    const pads = graph.ints(`${key}.mask.pads`, [0, 0, radius, radius, 0, 0, radius, radius]);
    const padded = graph.node("Pad", `${key}.mask.padded`, [hard, pads], { mode: { string: "reflect" } });
    const kernel = graph.tensor(`${key}.gaussianMask.weight`, [1, 1, taps.length, taps.length], () =>
      Float32Array.from(taps.flatMap((down) => taps.map((across) => down * across))),
    );
    const size = { kernel_shape: { ints: [taps.length, taps.length] } };
    return graph.node("Conv", `${key}.gaussianMask`, [padded, kernel], size);
  }

  /** A convolution, or transposed one, and the batch norm after it. */
  private conv(
    x: string,
    key: string,
    { kernel, stride, padding }: Window,
    norm: Norm | null,
    { transposed = false, bias = false, output = norm?.key ?? key } = {},
  ): string {
    const inputs = norm ? [x, ...this.folded(`${key}.weight`, norm)] : [x, this.weight(`${key}.weight`)];
    if (bias) inputs.push(this.weight(`${key}.bias`));
    const attributes: Record<string, OnnxAttribute> = {
      kernel_shape: { ints: [kernel, kernel] },
      strides: { ints: [stride, stride] },
      pads: { ints: [padding, padding, padding, padding] },
    };
    return this.graph.node(transposed ? "ConvTranspose" : "Conv", key, inputs, attributes, output);
  }

  private leakyRelu(x: string, key: string): string {
    return this.graph.node("LeakyRelu", `${key}.down.0`, [x], { alpha: { float: 0.2 } });
  }

  /** Channels `start` to `end` of the input. */
  private channels(name: string, start: number, end: number): string {
    const bounds = { starts: start, ends: end, axes: 1 };
    const inputs = Object.entries(bounds).map(([what, value]) => this.graph.ints(`${name}.${what}`, [value]));
    return this.graph.node("Slice", name, ["x", ...inputs]);
  }

  private weight(key: string): string {
    const tensor = this.tensor(key);
    return this.graph.tensor(key, tensor.shape, () => toFloat32(tensor));
  }

  /** The weight scaled by the batch norm, and the bias that is left. */
  private folded(key: string, norm: Norm): [weight: string, bias: string] {
    const tensor = this.tensor(key);
    const parts = NORM_PARTS.map((part) => this.tensor(`${norm.key}.${part}`));
    const fold = () => foldedNorm(parts.map(toFloat32));
    const [channels = 0] = parts[0]?.shape ?? [];
    const { axis } = norm;
    const weight = this.graph.tensor(key, tensor.shape, () => scaled(tensor, axis, fold().scale));
    return [weight, this.graph.tensor(`${norm.key}.shift`, [channels], () => fold().shift)];
  }

  private tensor(key: string): HostTensor {
    const tensor = this.tensors.get(key);
    if (!tensor) throw new Error(`onnx: ${key} is not among the weights`);
    return tensor;
  }
}

/** The values, each times the factor of its place on `axis`. */
function scaled(tensor: HostTensor, axis: 0 | 1, factors: Float64Array): Float32Array {
  const run = elementCount(tensor.shape.slice(axis + 1));
  return toFloat32(tensor).map((value, i) => value * (factors[Math.floor(i / run) % factors.length] ?? 0));
}
