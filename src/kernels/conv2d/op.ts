/**
 * 2-D convolution with bias, an addend and an activation as its epilogue, of x whose channels may be gated as it is read:
 * y = activation(conv(x * gate, w) + bias + addend).
 */
import { ShapeError, UsageError } from "../../errors.js";
import { type ApplyOptions, apply, defineOp, shapeOf } from "../../graph/op.js";
import { type DType, nhwc, type Shape, showShape, sizeOf, type Tensor, type TensorSpec } from "../../graph/tensor.js";
import type { ActivationAttrs } from "../activation.js";
import { activationBackward, beforeActivation } from "../activation_backward/op.js";
import { channelGate } from "../channel_gate/op.js";
import { channelGateBackward } from "../channel_gate_backward/op.js";
import { channelSum } from "../channel_sum/op.js";
import { convTranspose2d } from "../conv_transpose2d/op.js";
import { conv2dBackwardWeight } from "../conv2d_backward_weight/op.js";
import { expectF32, expectShape } from "../expect.js";
import { expectTiles, fusedInputs } from "./fused.js";
import { conv2dVariants } from "./variants.js";

export interface Conv2dAttrs extends ActivationAttrs {
  readonly stride: number;
  /** Zeros on every side. */
  readonly padding: number;
  /** How y is stored; missing means as the weight is. */
  readonly dtype?: DType;
}

/** [R, S, C_in, C_out] of a weight. */
export function kernelShape(op: string, shape: Shape): readonly [r: number, s: number, cIn: number, cOut: number] {
  const [r, s, cIn, cOut] = shape;
  if (shape.length !== 4 || r === undefined || s === undefined || cIn === undefined || cOut === undefined) {
    throw new ShapeError(`${op}: weight must be [R,S,C_in,C_out], got ${showShape(shape)}`);
  }
  return [r, s, cIn, cOut];
}

/** @returns [N, OH, OW, C_out] */
export function inferConv2d(x: Shape, w: Shape, bias: Shape | null, { stride, padding }: Conv2dAttrs): Shape {
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

/** Of the sums: 2 a weight and output pixel. */
export const conv2dFlops = (w: TensorSpec | null | undefined, y: TensorSpec | null | undefined): number =>
  (2 * sizeOf(shapeOf(w)) * sizeOf(shapeOf(y))) / (shapeOf(w)[3] ?? 1);

export const conv2dOp = defineOp<Conv2dAttrs>({
  name: "conv2d",
  infer([x, w, bias, gate, addend, , , , positive, tiles], attrs) {
    expectF32("conv2d", "bias", bias);
    expectF32("conv2d", "gate", gate);
    const shape = inferConv2d(shapeOf(x), shapeOf(w), bias?.shape ?? null, attrs);
    const [n = 0, , , c = 0] = shapeOf(x);
    if (gate) expectShape("conv2d", "gate", gate, [n, c], `x ${showShape(shapeOf(x))}`);
    if (addend) expectShape("conv2d", "addend", addend, shape, `y ${showShape(shape)}`);
    if (positive) expectShape("conv2d", "positive", positive, shape, `y ${showShape(shape)}`);
    expectTiles("conv2d", tiles, shape);
    if (addend && positive) throw new ShapeError("conv2d: takes an addend or a positive, not both");
    return [{ shape, dtype: attrs.dtype ?? w?.dtype ?? "f32" }];
  },
  flops: ([, w], [y]) => conv2dFlops(w, y),
  vjp: ({ inputs: [x, w, , gate, , , , , positive, tiles], outputs: [y], attrs, needs, claim }, [dAfter]) => {
    if (!x || !w || !dAfter) return [];
    if (tiles) throw new UsageError("conv2d: has no gradient where only some tiles are computed: leave out `tiles`");
    const dy = positive ? activationBackward(dAfter, positive, { activation: "relu" }) : dAfter;
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
    const attrsOfGradient = { stride, padding, outputPadding };
    const addend = (needs[0] && claim(0)) || undefined;
    const dGated =
      needs[0] || needs[3]
        ? convTranspose2d(before, w, null, attrsOfGradient, { addend: gate ? undefined : addend })
        : null;
    const gates = dGated && gate ? channelGateBackward(dGated, x, gate, { addend }) : null;
    // The gated features were never stored: the weight's gradient has them made again, for as long as it takes.
    const gated = needs[1] && gate ? channelGate(x, gate) : x;
    return [
      gates ? gates.dx : dGated,
      needs[1] ? conv2dBackwardWeight(gated, before, { kernel: [r, s], stride, padding }) : null,
      needs[2] ? channelSum(before) : null,
      gates?.dg ?? null,
      needs[4] ? before : null,
    ];
  },
  variants: conv2dVariants,
});

export interface Conv2dOptions extends ApplyOptions {
  /** [N, C_in]: scales the channels of each image of x. */
  readonly gate?: Tensor | undefined;
  /** Like y: added before the activation. */
  readonly addend?: Tensor | undefined;
  /** Like y, without an addend: y is 0 where it is not positive, as the gradient of a ReLU is. */
  readonly positive?: Tensor | undefined;
  /** An order of `tileOrder`: y need only be computed in the tiles that it needs, and may hold anything elsewhere. For inference. */
  readonly tiles?: Tensor | undefined;
}

/**
 * @param x [N, H, W, C_in]
 * @param w [R, S, C_in, C_out]
 * @param bias [C_out] or null
 * @returns [N, OH, OW, C_out] with OH = floor((H + 2 padding - R) / stride) + 1
 */
export const conv2d = (
  x: Tensor,
  w: Tensor,
  bias: Tensor | null,
  attrs: Conv2dAttrs,
  { gate, addend, positive, tiles, ...options }: Conv2dOptions = {},
): Tensor => apply(conv2dOp, fusedInputs(x, w, bias, { gate, addend, positive, tiles }), attrs, options);
