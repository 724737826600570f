/** Input gradient of a fully connected layer: dx = dy w^T. */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { linear_backward_input } from "../../shaders.generated.js";
import { f32, present } from "../expect.js";
import { threads, viewParams } from "../views.js";

export const linearBackwardInputOp = defineOp<object>({
  name: "linear_backward_input",
  infer([dy, w]) {
    const [shape, weight] = [present("linear_backward_input", "dy", dy), present("linear_backward_input", "weight", w)];
    const [n, columns] = shape;
    const [k, m] = weight;
    if (shape.length !== 2 || weight.length !== 2 || n === undefined || k === undefined || m !== columns) {
      throw new ShapeError(
        `linear_backward_input: dy must be [N,M] and weight [K,M], got ${showShape(shape)} and ${showShape(weight)}`,
      );
    }
    return f32([n, k]);
  },
  flops: ([dy], [dx]) => 2 * (shapeOf(dy)[1] ?? 0) * sizeOf(shapeOf(dx)),
  variants: [
    {
      name: "direct",
      features: [],
      accepts: () => true,
      plan(p) {
        const [dy, w, dx] = [operand(p, 0), operand(p, 1), result(p)];
        const [n = 0, k = 0] = dx.shape;
        const [, m = 0] = dy.shape;
        const params = { n, k, m, ...viewParams("dy", dy), ...viewParams("dx", dx) };
        return { passes: [pass(linear_backward_input, { bind: { dy, w, dx }, params, workgroups: threads(n * k) })] };
      },
    },
  ],
});

/**
 * @param dy [N, M], before the activation
 * @param w [K, M]
 * @returns [N, K]
 */
export const linearBackwardInput = (dy: Tensor, w: Tensor, options?: ApplyOptions): Tensor =>
  apply(linearBackwardInputOp, [dy, w], {}, options);
