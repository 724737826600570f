/** Instance norm: each channel of each image by its own mean and variance; no parameters, as discriminators use it. */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, apply, defineOp, operand, type Problem, result, shapeOf } from "../../graph/op.js";
import { constant, nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { present } from "../expect.js";
import { instanceNormBackward } from "../instance_norm_backward/op.js";
import { type NormAttrs, normForwardVectors, pixelSets, planNormForward } from "../normalization/forward.js";
import { laneVariants } from "../views.js";

const operandsOf = (p: Problem<NormAttrs>) => ({
  x: operand(p, 0),
  affine: null,
  y: result(p, 0),
  mean: result(p, 1),
  variance: result(p, 2),
});

export const instanceNormOp = defineOp<NormAttrs>({
  name: "instance_norm",
  infer([x]) {
    const shape = present("instance_norm", "x", x);
    const [n, h, w, c] = nhwc("instance_norm", "x", shape);
    if (h * w === 1) {
      throw new ShapeError(
        `instance_norm: statistics need more than one value a channel, x ${showShape(shape)} has one: use a larger image`,
      );
    }
    return [shape, [n, c], [n, c]].map((of) => ({ shape: of, dtype: "f32" }));
  },
  flops: ([x]) => 7 * sizeOf(shapeOf(x)),
  vjp({ inputs: [x], outputs: [y, mean, variance], attrs }, [dy, dMean = null, dVariance = null]) {
    if (!x || !y || !mean || !variance) return [];
    const given = dy ?? constant("zeros", y.shape, () => new Float32Array(sizeOf(y.shape)));
    return [instanceNormBackward({ dy: given, x, mean, variance, dMean, dVariance }, attrs)];
  },
  variants: laneVariants(
    (p) => normForwardVectors(operandsOf(p)),
    (p, lanes, capabilities) => {
      const operands = operandsOf(p);
      return planNormForward(operands, pixelSets(operands.x.shape, "image"), p.attrs, lanes, capabilities);
    },
  ),
});

/**
 * activation((x - mean) / sqrt(variance + eps)), mean and variance over the pixels of each image
 * @param x [N, H, W, C] with H * W above 1
 * @returns [N, H, W, C]
 */
export const instanceNorm = (x: Tensor, attrs: NormAttrs = {}, options?: ApplyOptions): Tensor =>
  apply(instanceNormOp, [x], attrs, options);
