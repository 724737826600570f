/**
 * Transposed 2-D convolution: y = activation(convT(x, w) + bias + addend). Its weight is that of the convolution it transposes,
 * so that it is also that convolution's input gradient, run forwards.
 */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, apply, defineOp, shapeOf } from "../../graph/op.js";
import { type DType, nhwc, type Shape, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import type { ActivationAttrs } from "../activation.js";
import { beforeActivation } from "../activation_backward/op.js";
import { channelSum } from "../channel_sum/op.js";
import { fusedInputs } from "../conv2d/fused.js";
import { gpuVariants } from "../conv2d/gpu.js";
import { conv2d, kernelShape } from "../conv2d/op.js";
import { patchVariant } from "../conv2d/patch.js";
import { planesVariant } from "../conv2d/planes.js";
import { conv2dBackwardWeight } from "../conv2d_backward_weight/op.js";
import { expectF32, expectShape } from "../expect.js";
import { direct } from "./direct.js";
import { windowOf } from "./problem.js";
import { subgroup } from "./subgroup.js";
import { subgroup3x3 } from "./subgroup_3x3.js";
import { subgroupMatrix } from "./subgroup_matrix.js";
import { winograd } from "./winograd.js";
import { winogradPairs } from "./winograd_pairs.js";

export interface ConvTranspose2dAttrs extends ActivationAttrs {
  readonly stride: number;
  readonly padding: number;
  /** Rows and columns added at the end, fewer than the stride: they tell sizes apart that a convolution makes one of. */
  readonly outputPadding?: readonly [rows: number, columns: number];
  /** Applies a ReLU to x as it is read: a U-Net's decoder does, and its skip must stay as it is for other readers. */
  readonly reluInput?: boolean;
  /** How y is stored; missing means as the weight is. */
  readonly dtype?: DType;
}

function infer(
  x: Shape,
  w: Shape,
  bias: Shape | null,
  { stride, padding, outputPadding = [0, 0] }: ConvTranspose2dAttrs,
): Shape {
  const [n, h, width, c] = nhwc("conv_transpose2d", "x", x);
  const [r, s, cOut, cIn] = kernelShape("conv_transpose2d", w);
  const shapes = `(x ${showShape(x)}, weight ${showShape(w)} as [R,S,C_out,C_in], stride ${stride}, padding ${padding})`;
  if (c !== cIn) throw new ShapeError(`conv_transpose2d: weight expects ${cIn} input channels, x has ${c} ${shapes}`);
  if (bias && sizeOf(bias) !== cOut) {
    throw new ShapeError(`conv_transpose2d: bias needs ${cOut} values, got ${showShape(bias)} ${shapes}`);
  }
  if (!(Number.isInteger(stride) && stride >= 1 && Number.isInteger(padding) && padding >= 0)) {
    throw new ShapeError(`conv_transpose2d: stride must be an integer from 1, padding one from 0 ${shapes}`);
  }
  const oh = (h - 1) * stride + r - 2 * padding + outputPadding[0];
  const ow = (width - 1) * stride + s - 2 * padding + outputPadding[1];
  if (outputPadding.some((extra) => !Number.isInteger(extra) || extra < 0 || extra >= stride)) {
    throw new ShapeError(
      `conv_transpose2d: output padding must be from 0 to stride - 1, got ${showShape(outputPadding)} ${shapes}`,
    );
  }
  if (oh < 1 || ow < 1) throw new ShapeError(`conv_transpose2d: the padding takes all of the output ${shapes}`);
  return [n, oh, ow, cOut];
}

export const convTranspose2dOp = defineOp<ConvTranspose2dAttrs>({
  name: "conv_transpose2d",
  infer([x, w, bias, , addend], attrs) {
    expectF32("conv_transpose2d", "bias", bias);
    const shape = infer(shapeOf(x), shapeOf(w), bias?.shape ?? null, attrs);
    if (addend) expectShape("conv_transpose2d", "addend", addend, shape, `y ${showShape(shape)}`);
    return [{ shape, dtype: attrs.dtype ?? w?.dtype ?? "f32" }];
  },
  flops: ([x, w]) => (2 * sizeOf(shapeOf(w)) * sizeOf(shapeOf(x))) / (shapeOf(w)[3] ?? 1),
  vjp: ({ inputs: [x, w], outputs: [y], attrs, needs }, [dy]) => {
    if (!x || !w || !dy) return [];
    const { stride, padding, reluInput = false } = attrs;
    const before = beforeActivation(dy, y, attrs);
    const [r = 0, s = 0] = w.shape;
    return [
      needs[0] ? conv2d(before, w, null, { stride, padding }, reluInput ? { positive: x } : {}) : null,
      needs[1] ? conv2dBackwardWeight(before, x, { kernel: [r, s], stride, padding, reluDy: reluInput }) : null,
      needs[2] ? channelSum(before) : null,
      null,
      needs[4] ? before : null,
    ];
  },
  variants: [
    subgroupMatrix,
    winograd,
    winogradPairs,
    subgroup3x3,
    subgroup,
    ...gpuVariants(windowOf),
    patchVariant(windowOf),
    planesVariant(windowOf),
    subgroup,
    ...gpuVariants(windowOf),
    direct,
  ],
});

export interface ConvTranspose2dOptions extends ApplyOptions {
  /** Like y: added before the activation. */
  readonly addend?: Tensor | undefined;
}

/**
 * @param x [N, H, W, C_in]
 * @param w [R, S, C_out, C_in]
 * @param bias [C_out] or null
 * @returns [N, OH, OW, C_out] with OH = (H - 1) stride + R - 2 padding
 */
export const convTranspose2d = (
  x: Tensor,
  w: Tensor,
  bias: Tensor | null,
  attrs: ConvTranspose2dAttrs,
  { addend, ...options }: ConvTranspose2dOptions = {},
): Tensor => apply(convTranspose2dOp, fusedInputs(x, w, bias, { addend }), attrs, options);
