/** Weight gradient of a convolution: dw[r, s, c, k] = sum over output pixels of x under tap (r, s) times dy. */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, apply, defineOp, shapeOf } from "../../graph/op.js";
import { nhwc, type Shape, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { direct } from "./direct.js";
import { gpuVariants } from "./gpu.js";
import { subgroup } from "./subgroup.js";
import { winograd } from "./winograd.js";

export interface Conv2dBackwardWeightAttrs {
  /** Rows and columns of the kernel. */
  readonly kernel: readonly [r: number, s: number];
  readonly stride: number;
  readonly padding: number;
  /** Applies a ReLU to dy as it is read: a transposed convolution's own input stands there. */
  readonly reluDy?: boolean;
}

function infer(x: Shape, dy: Shape, { kernel: [r, s], stride, padding }: Conv2dBackwardWeightAttrs): Shape {
  const [n, h, w, c] = nhwc("conv2d_backward_weight", "x", x);
  const [dn, oh, ow, k] = nhwc("conv2d_backward_weight", "dy", dy);
  const fits = (size: number, kernel: number, out: number): boolean =>
    Math.floor((size + 2 * padding - kernel) / stride) + 1 === out;
  if (n !== dn || !fits(h, r, oh) || !fits(w, s, ow)) {
    throw new ShapeError(
      `conv2d_backward_weight: dy ${showShape(dy)} is not what a ${r}x${s} convolution of stride ${stride}, padding ${padding} makes of x ${showShape(x)}`,
    );
  }
  return [r, s, c, k];
}

export const conv2dBackwardWeightOp = defineOp<Conv2dBackwardWeightAttrs>({
  name: "conv2d_backward_weight",
  infer: ([x, dy], attrs) => [{ shape: infer(shapeOf(x), shapeOf(dy), attrs), dtype: "f32" }],
  flops: ([, dy], [dw]) => (2 * sizeOf(shapeOf(dw)) * sizeOf(shapeOf(dy))) / (shapeOf(dy)[3] ?? 1),
  variants: [winograd, subgroup, ...gpuVariants, direct],
});

/**
 * @param x the convolution's input, [N, H, W, C]
 * @param dy the gradient of its output, [N, OH, OW, K]
 * @returns [R, S, C, K]
 */
export const conv2dBackwardWeight = (
  x: Tensor,
  dy: Tensor,
  attrs: Conv2dBackwardWeightAttrs,
  options?: ApplyOptions,
): Tensor => apply(conv2dBackwardWeightOp, [x, dy], attrs, options);
