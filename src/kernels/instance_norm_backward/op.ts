/** Gradient of instance norm, through its activation too. */
import { type ApplyOptions, apply, defineOp, operand, type Problem, result, shapeOf } from "../../graph/op.js";
import { nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { expectShape, f32, present } from "../expect.js";
import { normBackwardVectors, planNormBackward } from "../normalization/backward.js";
import { type NormAttrs, pixelSets } from "../normalization/forward.js";
import { laneVariants } from "../views.js";

const operandsOf = (p: Problem<NormAttrs>) => ({
  dy: operand(p, 0),
  x: operand(p, 1),
  affine: null,
  mean: operand(p, 2),
  variance: operand(p, 3),
  dMean: p.inputs[4] ?? null,
  dVariance: p.inputs[5] ?? null,
  dx: result(p, 0),
});

export const instanceNormBackwardOp = defineOp<NormAttrs>({
  name: "instance_norm_backward",
  infer([dy, x, ...statistics]) {
    const shape = present("instance_norm_backward", "x", x);
    const because = `x ${showShape(shape)}`;
    const [n, , , c] = nhwc("instance_norm_backward", "x", shape);
    expectShape("instance_norm_backward", "dy", dy, shape, because);
    ["mean", "variance", "dMean", "dVariance"].forEach((what, i) => {
      if (i < 2 || statistics[i]) expectShape("instance_norm_backward", what, statistics[i], [n, c], because);
    });
    return f32(shape);
  },
  flops: ([x]) => 12 * sizeOf(shapeOf(x)),
  variants: laneVariants(
    (p) => normBackwardVectors(operandsOf(p)),
    (p, lanes, capabilities) => {
      const operands = operandsOf(p);
      return planNormBackward(operands, pixelSets(operands.x.shape, "image"), p.attrs, lanes, capabilities);
    },
  ),
});

export interface InstanceNormBackwardInputs {
  /** Gradient of y, [N, H, W, C]. */
  readonly dy: Tensor;
  /** What was normalised, [N, H, W, C]. */
  readonly x: Tensor;
  /** Of each image, [N, C]. */
  readonly mean: Tensor;
  readonly variance: Tensor;
  /** Gradients of the statistics as outputs, [N, C], where something was made of them. */
  readonly dMean: Tensor | null;
  readonly dVariance: Tensor | null;
}

/** @returns [N, H, W, C] */
export const instanceNormBackward = (
  { dy, x, mean, variance, dMean, dVariance }: InstanceNormBackwardInputs,
  attrs: NormAttrs,
  options?: ApplyOptions,
): Tensor => apply(instanceNormBackwardOp, [dy, x, mean, variance, dMean, dVariance], attrs, options);
