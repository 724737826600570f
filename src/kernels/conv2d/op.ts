/** 2-D convolution with bias and activation as its epilogue: y = activation(conv(x, w) + bias). */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, apply, defineOp, shapeOf } from "../../graph/op.js";
import { nhwc, type Shape, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import type { ActivationAttrs } from "../activation.js";
import { beforeActivation } from "../activation_backward/op.js";
import { channelSum } from "../channel_sum/op.js";
import { convTranspose2d } from "../conv_transpose2d/op.js";
import { conv2dBackwardWeight } from "../conv2d_backward_weight/op.js";
import { direct } from "./direct.js";
import { gpuVariants } from "./gpu.js";
import { windowOf } from "./problem.js";
import { subgroup } from "./subgroup.js";
import { subgroup3x3 } from "./subgroup_3x3.js";
import { winograd } from "./winograd.js";

export interface Conv2dAttrs extends ActivationAttrs {
  readonly stride: number;
  /** Zeros on every side. */
  readonly padding: number;
}

/** [R, S, C_in, C_out] of a weight. */
export function kernelShape(op: string, shape: Shape): readonly [r: number, s: number, cIn: number, cOut: number] {
  const [r, s, cIn, cOut] = shape;
  if (shape.length !== 4 || r === undefined || s === undefined || cIn === undefined || cOut === undefined) {
    throw new ShapeError(`${op}: weight must be [R,S,C_in,C_out], got ${showShape(shape)}`);
  }
  return [r, s, cIn, cOut];
}

function infer(x: Shape, w: Shape, bias: Shape | null, { stride, padding }: Conv2dAttrs): Shape {
  const [n, h, width, c] = nhwc("conv2d", "x", x);
  const [r, s, cIn, cOut] = kernelShape("conv2d", w);
  const shapes = `(x ${showShape(x)}, weight ${showShape(w)}, stride ${stride}, padding ${padding})`;
  if (c !== cIn) throw new ShapeError(`conv2d: weight expects ${cIn} input channels, x has ${c} ${shapes}`);
  if (bias && sizeOf(bias) !== cOut)
    throw new ShapeError(`conv2d: bias needs ${cOut} values, got ${showShape(bias)} ${shapes}`);
  if (!(Number.isInteger(stride) && stride >= 1 && Number.isInteger(padding) && padding >= 0)) {
    throw new ShapeError(`conv2d: stride must be an integer from 1, padding one from 0 ${shapes}`);
  }
  const oh = Math.floor((h + 2 * padding - r) / stride) + 1;
  const ow = Math.floor((width + 2 * padding - s) / stride) + 1;
  if (oh < 1 || ow < 1) throw new ShapeError(`conv2d: the kernel is larger than the padded input ${shapes}`);
  return [n, oh, ow, cOut];
}

export const conv2dOp = defineOp<Conv2dAttrs>({
  name: "conv2d",
  infer: ([x, w, bias], attrs) => [{ shape: infer(shapeOf(x), shapeOf(w), bias?.shape ?? null, attrs), dtype: "f32" }],
  flops: ([, w], [y]) => (2 * sizeOf(shapeOf(w)) * sizeOf(shapeOf(y))) / (shapeOf(w)[3] ?? 1),
  vjp: ({ inputs: [x, w], outputs: [y], attrs, needs }, [dy]) => {
    if (!x || !w || !dy) return [];
    const { stride, padding } = attrs;
    const before = beforeActivation(dy, y, attrs);
    const [, h = 0, width = 0] = x.shape;
    const [r = 0, s = 0] = w.shape;
    const [, oh = 0, ow = 0] = before.shape;
    // Rows and columns at the end that no window reached.
    const outputPadding = [
      h + 2 * padding - r - (oh - 1) * stride,
      width + 2 * padding - s - (ow - 1) * stride,
    ] as const;
    return [
      needs[0] ? convTranspose2d(before, w, null, { stride, padding, outputPadding }) : null,
      needs[1] ? conv2dBackwardWeight(x, before, { kernel: [r, s], stride, padding }) : null,
      needs[2] ? channelSum(before) : null,
    ];
  },
  variants: [winograd, subgroup3x3, subgroup, ...gpuVariants(windowOf), direct],
});

/**
 * @param x [N, H, W, C_in]
 * @param w [R, S, C_in, C_out]
 * @param bias [C_out] or null
 * @returns [N, OH, OW, C_out] with OH = floor((H + 2 padding - R) / stride) + 1
 */
export const conv2d = (x: Tensor, w: Tensor, bias: Tensor | null, attrs: Conv2dAttrs, options?: ApplyOptions): Tensor =>
  apply(conv2dOp, [x, w, bias], attrs, options);
