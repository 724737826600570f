/**
 * The networks once more, in TensorFlow.js: NHWC, `same` padding (which for a 4x4 window of stride 2 and for a 3x3 one of
 * stride 1 is PyTorch's padding of 1), the state dict's own values. For inference batch norm is folded and activations are fused
 * into the convolutions, as whoever ships TensorFlow.js would; for training it takes the batch's statistics.
 */
import { type HostTensor, toFloat32 } from "../../src/io/tensor_data.js";
import { blurTaps } from "../../src/kernels/gaussian_blur/taps.js";
import type { ModelConfig } from "../../src/model/config.js";
import { BATCH_NORM_EPS, foldedNorm, NORM_PARTS } from "../../src/model/fold.js";
import { packConv, transpose } from "../../src/model/repack.js";
import { levelKey } from "../../src/model/unet.js";
import type { Tensor, TensorFlow } from "./tensorflow.js";

type Activation = "linear" | "elu" | "leakyrelu";
const SLOPE = 0.2;
const ATTENTION_LEVELS = [1, 2, 3];

export class TensorFlowNetwork {
  private readonly kept = new Map<string, Tensor>();

  constructor(
    private readonly tf: TensorFlow,
    private readonly tensors: ReadonlyMap<string, HostTensor>,
    private readonly config: ModelConfig,
    private readonly training: boolean,
  ) {}

  /** @param x [N, H, W, 4] @returns [N, H, W, 3] */
  forward(x: Tensor): Tensor {
    const { tf } = this;
    const [n = 0, h = 0, w = 0] = x.shape;
    const mask = tf.slice(x, [0, 0, 0, 3], [n, h, w, 1]);
    const joined = this.level(1, this.conv(x, `${levelKey(0)}.down.0`, 2, "", "leakyrelu"), mask);
    const key = `${levelKey(0)}.up.1`;
    const net = tf.add(this.transposed(joined, key), this.keep(`${key}.bias`));
    return this.config.globalSkip ? tf.add(tf.slice(x, [0, 0, 0, 0], [n, h, w, 3]), net) : net;
  }

  private level(k: number, x: Tensor, mask: Tensor): Tensor {
    const { tf, config } = this;
    const key = levelKey(k);
    const innermost = k === config.levels - 1;
    const down = innermost
      ? this.conv(x, `${key}.down.1`, 2, "", "linear")
      : this.conv(x, `${key}.down.1`, 2, `${key}.down.2`, "leakyrelu");
    const inner = innermost ? down : this.level(k + 1, down, mask);
    const up = this.transposed(inner, `${key}.up.1`, `${key}.up.2`);
    const attends = ATTENTION_LEVELS.includes(k);
    const attention = `${key}.attention`;
    const skip = attends && config.arch === "s2asc" ? this.s2am(x, mask, attention) : x;
    const joined = tf.concat([skip, up], 3);
    return attends && config.arch === "s2ad" ? this.s2am(joined, mask, attention) : joined;
  }

  private s2am(x: Tensor, mask: Tensor, key: string): Tensor {
    const { tf } = this;
    const pooled = tf.concat([tf.mean(x, [1, 2]), tf.max(x, [1, 2])], 1);
    const gated = (name: string): Tensor => tf.mul(x, this.gate(pooled, `${key}.${name}_attention.fc`));
    const wide = this.conv(gated("spliced"), `${key}.connection.rconv1`, 1, `${key}.connection.rbn1`, "elu");
    const learned = this.conv(wide, `${key}.connection.rconv2`, 1, `${key}.connection.rbn2`, "elu");
    const inside = this.levelMask(mask, (mask.shape[2] ?? 0) / (x.shape[2] ?? 1));
    const foreground = tf.mul(inside, tf.add(learned, gated("mixed")));
    return tf.add(foreground, tf.mul(tf.sub(tf.scalar(1), inside), gated("background")));
  }

  private gate(pooled: Tensor, key: string): Tensor {
    const { tf } = this;
    const linear = (x: Tensor, name: string): Tensor =>
      tf.add(tf.matMul(x, this.keep(`${name}.weight`)), this.keep(`${name}.bias`));
    const open = tf.sigmoid(linear(tf.relu(linear(pooled, `${key}.0`)), `${key}.2`));
    return tf.reshape(open, [open.shape[0] ?? 0, 1, 1, open.shape[1] ?? 0]);
  }

  private levelMask(mask: Tensor, stride: number): Tensor {
    const { tf } = this;
    const hard = tf.round(tf.avgPool(mask, 2, stride, "valid"));
    const byDistance = blurTaps(this.config.blur);
    const taps = [...byDistance.slice(1).reverse(), ...byDistance];
    const r = byDistance.length - 1;
    const padded = tf.mirrorPad(
      hard,
      [
        [0, 0],
        [r, r],
        [r, r],
        [0, 0],
      ],
      "reflect",
    );
    const kernel = this.constant("blur", [taps.length, taps.length, 1, 1], () =>
      Float32Array.from(taps.flatMap((down) => taps.map((across) => down * across))),
    );
    return tf.conv2d(padded, kernel, 1, "valid");
  }

  private conv(x: Tensor, key: string, stride: number, norm: string, activation: Activation): Tensor {
    const { tf } = this;
    if (this.training) {
      const y = tf.conv2d(x, this.keep(`${key}.weight`), stride, "same");
      return this.activate(norm ? this.norm(y, norm) : y, activation);
    }
    const { shape } = this.tensor(`${key}.weight`);
    const [channels = 0] = shape;
    const filter = this.keep(`${key}.weight`, norm ? { key: norm, axis: 0 } : undefined);
    const bias = norm ? this.shift(norm) : this.constant(`${key}.zero`, [channels], () => new Float32Array(channels));
    return tf.fused.conv2d({ x, filter, strides: stride, pad: "same", bias, activation, leakyreluAlpha: SLOPE });
  }

  /** Of relu(x), to twice the size. */
  private transposed(x: Tensor, key: string, norm = ""): Tensor {
    const { tf, training } = this;
    const [n = 0, h = 0, w = 0] = x.shape;
    const [, channels = 0] = this.tensor(`${key}.weight`).shape;
    const filter = this.keep(`${key}.weight`, norm && !training ? { key: norm, axis: 1 } : undefined);
    const y = tf.conv2dTranspose(tf.relu(x), filter, [n, 2 * h, 2 * w, channels], 2, "same");
    if (!norm) return y;
    return training ? this.norm(y, norm) : tf.add(y, this.shift(norm));
  }

  private activate(x: Tensor, activation: Activation): Tensor {
    if (activation === "elu") return this.tf.elu(x);
    return activation === "leakyrelu" ? this.tf.leakyRelu(x, SLOPE) : x;
  }

  private norm(x: Tensor, key: string): Tensor {
    const { mean, variance } = this.tf.moments(x, [0, 1, 2]);
    const [scale, offset] = [this.keep(`${key}.weight`), this.keep(`${key}.bias`)];
    return this.tf.batchNorm(x, mean, variance, offset, scale, BATCH_NORM_EPS);
  }

  /** A parameter in TensorFlow.js's layout: a variable when training, else a constant, folded with its batch norm. */
  private keep(key: string, fold?: { readonly key: string; readonly axis: 0 | 1 }): Tensor {
    const tensor = this.tensor(key);
    const [outer = 1, inner = 1, r = 1, s = 1] = tensor.shape;
    if (tensor.shape.length === 4) {
      const scale = fold && { factors: this.folded(fold.key).scale, axis: fold.axis };
      return this.constant(key, [r, s, inner, outer], () => packConv(toFloat32(tensor), outer, inner, r * s, scale));
    }
    if (tensor.shape.length === 2) {
      return this.constant(key, [inner, outer], () => transpose(toFloat32(tensor), outer, inner));
    }
    return this.constant(key, tensor.shape, () => toFloat32(tensor));
  }

  private shift(norm: string): Tensor {
    const { shift } = this.folded(norm);
    return this.constant(`${norm}.shift`, [shift.length], () => shift);
  }

  private folded(norm: string): ReturnType<typeof foldedNorm> {
    return foldedNorm(NORM_PARTS.map((part) => toFloat32(this.tensor(`${norm}.${part}`))));
  }

  private constant(key: string, shape: readonly number[], values: () => Float32Array): Tensor {
    const known = this.kept.get(key);
    if (known) return known;
    const trained = this.training && this.tensors.has(key);
    const tensor = this.tf.tensor(values(), shape);
    // A variable outlives the scope that it is made in.
    const made = this.tf.variable(tensor, trained, key);
    this.kept.set(key, made);
    return made;
  }

  private tensor(key: string): HostTensor {
    const tensor = this.tensors.get(key);
    if (!tensor) throw new Error(`TensorFlow.js network: no weights ${key}`);
    return tensor;
  }
}
