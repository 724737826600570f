/** Parameter gradients of a fully connected layer: dw = x^T dy, dbias = sum over the batch of dy. */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, applyAll, defineOp, operand, pass, result, scratch, shapeOf } from "../../graph/op.js";
import { showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { linear_backward_weight } from "../../shaders.generated.js";
import { present } from "../expect.js";
import { laneVariants, threads, viewParams } from "../views.js";

export interface LinearBackwardWeightAttrs {
  /** Whether the layer has a bias, whose gradient is then the second output. */
  readonly bias: boolean;
}

export const linearBackwardWeightOp = defineOp<LinearBackwardWeightAttrs>({
  name: "linear_backward_weight",
  infer([x, dy], { bias }) {
    const [inner, outer] = [present("linear_backward_weight", "x", x), present("linear_backward_weight", "dy", dy)];
    const [n, k] = inner;
    const [rows, m] = outer;
    if (inner.length !== 2 || outer.length !== 2 || k === undefined || m === undefined || n !== rows) {
      throw new ShapeError(
        `linear_backward_weight: x must be [N,K] and dy [N,M], got ${showShape(inner)} and ${showShape(outer)}`,
      );
    }
    return (bias ? [[k, m], [m]] : [[k, m]]).map((shape) => ({ shape, dtype: "f32" }));
  },
  flops: ([x], [dw]) => 2 * (shapeOf(x)[0] ?? 0) * sizeOf(shapeOf(dw)),
  variants: laneVariants(
    (p) => [operand(p, 1), ...p.outputs],
    (p, lanes) => {
      const [x, dy, dw] = [operand(p, 0), operand(p, 1), result(p)];
      const dBias = p.attrs.bias ? result(p, 1) : null;
      const [n = 0, k = 0] = x.shape;
      const [, m = 0] = dy.shape;
      const rows = k + (dBias ? 1 : 0);
      const backward = pass(linear_backward_weight, {
        bind: { x, dy, dw, d_bias: dBias ?? scratch("no bias", 4) },
        params: {
          n,
          k,
          m,
          bias: dBias ? 1 : 0,
          ...viewParams("x", x),
          ...viewParams("dy", dy),
          ...viewParams("dw", dw),
          d_bias_offset: dBias?.offset ?? 0,
        },
        consts: lanes.consts,
        types: lanes.types,
        workgroups: threads((rows * m) / lanes.count),
      });
      return { passes: [backward] };
    },
  ),
});

/**
 * @param x [N, K]
 * @param dy [N, M], before the activation
 * @returns dw [K, M], and dBias [M] where the layer has a bias
 */
export function linearBackwardWeight(
  x: Tensor,
  dy: Tensor,
  attrs: LinearBackwardWeightAttrs,
  options?: ApplyOptions,
): { readonly dw?: Tensor; readonly dBias?: Tensor } {
  const [dw, dBias] = applyAll(linearBackwardWeightOp, [x, dy], attrs, options);
  return { ...(dw && { dw }), ...(dBias && { dBias }) };
}
