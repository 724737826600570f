/** Batch norm with running statistics, as inference uses it. Models fold it into the convolution before it. */
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { batch_norm } from "../../shaders.generated.js";
import { type ActivationAttrs, activationOverrides } from "../activation.js";
import { expectShape, f32, present } from "../expect.js";
import { laneVariants, threads, viewOverrides } from "../views.js";

export interface BatchNormAttrs extends ActivationAttrs {
  /** Added to the variance; 1e-5 in PyTorch and here. */
  readonly eps?: number;
}

export const DEFAULT_EPS = 1e-5;

export const batchNormOp = defineOp<BatchNormAttrs>({
  name: "batch_norm",
  infer([x, ...statistics]) {
    const shape = present("batch_norm", "x", x);
    const [, , , c] = nhwc("batch_norm", "x", shape);
    ["weight", "bias", "runningMean", "runningVar"].forEach((what, i) => {
      expectShape("batch_norm", what, statistics[i], [c], `x ${showShape(shape)}`);
    });
    return f32(shape);
  },
  flops: (_, [y]) => 2 * sizeOf(shapeOf(y)),
  variants: laneVariants(
    (p) => [operand(p, 0), result(p)],
    (p, lanes) => {
      const [x, y] = [operand(p, 0), result(p)];
      const SIZE = sizeOf(x.shape);
      const bind = {
        x,
        weight: operand(p, 1),
        bias: operand(p, 2),
        running_mean: operand(p, 3),
        running_var: operand(p, 4),
        y,
      };
      const overrides = {
        C: x.shape.at(-1) ?? 1,
        SIZE,
        EPS: p.attrs.eps ?? DEFAULT_EPS,
        ...viewOverrides("X", x),
        ...viewOverrides("Y", y),
        ...activationOverrides(p.attrs),
      };
      const { consts, types } = lanes;
      return {
        passes: [pass(batch_norm, { bind, overrides, consts, types, workgroups: threads(SIZE / lanes.count) })],
      };
    },
  ),
});

export interface BatchNormParameters {
  /** Each [C]. */
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly runningMean: Tensor;
  readonly runningVar: Tensor;
}

/**
 * activation((x - runningMean) / sqrt(runningVar + eps) * weight + bias)
 * @param x [N, H, W, C]
 */
export const batchNorm = (
  x: Tensor,
  { weight, bias, runningMean, runningVar }: BatchNormParameters,
  attrs: BatchNormAttrs = {},
  options?: ApplyOptions,
): Tensor => apply(batchNormOp, [x, weight, bias, runningMean, runningVar], attrs, options);
