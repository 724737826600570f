/** Gradients of `batch_norm_train`, through its activation too. The normalised and activated values are made again. */
import { type ApplyOptions, applyAll, defineOp, operand, type Problem, result, shapeOf } from "../../graph/op.js";
import { nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { expectShape, present } from "../expect.js";
import { normBackwardVectors, planNormBackward } from "../normalization/backward.js";
import { type NormAttrs, pixelSets } from "../normalization/forward.js";
import { laneVariants } from "../views.js";

const operandsOf = (p: Problem<NormAttrs>) => ({
  dy: operand(p, 0),
  x: operand(p, 1),
  affine: { weight: operand(p, 2), bias: operand(p, 3), dWeight: result(p, 1), dBias: result(p, 2) },
  mean: operand(p, 4),
  variance: operand(p, 5),
  dMean: p.inputs[6] ?? null,
  dVariance: p.inputs[7] ?? null,
  dx: result(p, 0),
});

export const batchNormBackwardOp = defineOp<NormAttrs>({
  name: "batch_norm_backward",
  infer([dy, x, ...channels]) {
    const shape = present("batch_norm_backward", "x", x);
    const because = `x ${showShape(shape)}`;
    const [, , , c] = nhwc("batch_norm_backward", "x", shape);
    expectShape("batch_norm_backward", "dy", dy, shape, because);
    ["weight", "bias", "mean", "variance", "dMean", "dVariance"].forEach((what, i) => {
      if (i < 4 || channels[i]) expectShape("batch_norm_backward", what, channels[i], [c], because);
    });
    return [shape, [c], [c]].map((of) => ({ shape: of, dtype: "f32" }));
  },
  flops: ([x]) => 12 * sizeOf(shapeOf(x)),
  variants: laneVariants(
    (p) => normBackwardVectors(operandsOf(p)),
    (p, lanes, capabilities) => {
      const operands = operandsOf(p);
      return planNormBackward(operands, pixelSets(operands.x.shape, "batch"), p.attrs, lanes, capabilities);
    },
  ),
});

export interface BatchNormBackwardInputs {
  /** Gradient of y, [N, H, W, C]. */
  readonly dy: Tensor;
  /** What was normalised, [N, H, W, C]. */
  readonly x: Tensor;
  /** Each [C]. */
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
  /** Gradients of the statistics as outputs, [C], where something was made of them. */
  readonly dMean: Tensor | null;
  readonly dVariance: Tensor | null;
}

/** @returns dx [N, H, W, C], dWeight [C], dBias [C] */
export function batchNormBackward(
  { dy, x, weight, bias, mean, variance, dMean, dVariance }: BatchNormBackwardInputs,
  attrs: NormAttrs,
  options?: ApplyOptions,
): { readonly dx: Tensor; readonly dWeight: Tensor; readonly dBias: Tensor } {
  const inputs = [dy, x, weight, bias, mean, variance, dMean, dVariance];
  const [dx, dWeight, dBias] = applyAll(batchNormBackwardOp, inputs, attrs, options);
  return { dx, dWeight, dBias } as { dx: Tensor; dWeight: Tensor; dBias: Tensor };
}
