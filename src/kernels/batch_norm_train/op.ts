/** Batch norm as training uses it: by the batch's own mean and variance, which it returns for the running ones. */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, applyAll, defineOp, operand, type Problem, result, shapeOf } from "../../graph/op.js";
import { constant, nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { batchNormBackward } from "../batch_norm_backward/op.js";
import { expectShape, present } from "../expect.js";
import { type NormAttrs, normForwardVectors, pixelSets, planNormForward } from "../normalization/forward.js";
import { laneVariants } from "../views.js";

const operandsOf = (p: Problem<NormAttrs>) => ({
  x: operand(p, 0),
  affine: { weight: operand(p, 1), bias: operand(p, 2) },
  y: result(p, 0),
  mean: result(p, 1),
  variance: result(p, 2),
});

export const batchNormTrainOp = defineOp<NormAttrs>({
  name: "batch_norm_train",
  infer([x, weight, bias]) {
    const shape = present("batch_norm_train", "x", x);
    const [n, h, w, c] = nhwc("batch_norm_train", "x", shape);
    if (n * h * w === 1) {
      throw new ShapeError(
        `batch_norm_train: statistics need more than one value a channel, x ${showShape(shape)} has one: use a larger batch or image`,
      );
    }
    expectShape("batch_norm_train", "weight", weight, [c], `x ${showShape(shape)}`);
    expectShape("batch_norm_train", "bias", bias, [c], `x ${showShape(shape)}`);
    return [shape, [c], [c]].map((of) => ({ shape: of, dtype: "f32" }));
  },
  flops: ([x]) => 7 * sizeOf(shapeOf(x)),
  vjp({ inputs: [x, weight, bias], outputs: [y, mean, variance], attrs }, [dy, dMean = null, dVariance = null]) {
    if (!x || !weight || !bias || !y || !mean || !variance) return [];
    const given = dy ?? constant("zeros", y.shape, () => new Float32Array(sizeOf(y.shape)));
    const { dx, dWeight, dBias } = batchNormBackward(
      { dy: given, x, weight, bias, mean, variance, dMean, dVariance },
      attrs,
    );
    return [dx, dWeight, dBias];
  },
  variants: laneVariants(
    (p) => normForwardVectors(operandsOf(p)),
    (p, lanes, capabilities) => {
      const operands = operandsOf(p);
      return planNormForward(operands, pixelSets(operands.x.shape, "batch"), p.attrs, lanes, capabilities);
    },
  ),
});

export interface BatchNormTrainResult {
  /** [N, H, W, C] */
  readonly y: Tensor;
  /** Of the batch, [C]. */
  readonly mean: Tensor;
  /** Of the batch, [C]; biased, as it normalises. PyTorch's running variance takes n / (n - 1) of it. */
  readonly variance: Tensor;
}

/**
 * y = activation((x - mean) / sqrt(variance + eps) * weight + bias)
 * @param x [N, H, W, C] with N * H * W above 1
 * @param weight [C]
 * @param bias [C]
 */
export function batchNormTrain(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  attrs: NormAttrs = {},
  options?: ApplyOptions,
): BatchNormTrainResult {
  const [y, mean, variance] = applyAll(batchNormTrainOp, [x, weight, bias], attrs, options);
  return { y, mean, variance } as BatchNormTrainResult;
}
