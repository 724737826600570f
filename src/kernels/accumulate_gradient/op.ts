/** Sum of the gradients of micro-batches, in place. */
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { accumulate_gradient } from "../../shaders.generated.js";
import { expectShape, f32, present } from "../expect.js";
import { threads } from "../views.js";

export const accumulateGradientOp = defineOp<object>({
  name: "accumulate_gradient",
  infer([sum, g, reset]) {
    const shape = present("accumulate_gradient", "sum", sum);
    expectShape("accumulate_gradient", "grad", g, shape, `sum ${showShape(shape)}`);
    expectShape("accumulate_gradient", "reset", reset, [1], "a micro-batch");
    return f32(shape);
  },
  flops: ([sum]) => sizeOf(shapeOf(sum)),
  inPlace: [0],
  variants: [
    {
      name: "direct",
      features: [],
      accepts: () => true,
      plan(p) {
        const [g, reset, sum] = [operand(p, 1), operand(p, 2), result(p)];
        const size = sizeOf(sum.shape);
        const params = {
          size,
          c: g.shape.at(-1) ?? 1,
          g_pitch: g.pitch,
          g_offset: g.offset,
          reset_offset: reset.offset,
        };
        return { passes: [pass(accumulate_gradient, { bind: { g, reset, sum }, params, workgroups: threads(size) })] };
      },
    },
  ],
});

/**
 * sum = grad where reset is not 0, whatever sum held; else sum + grad.
 * @param sum variable
 * @param grad of the same shape
 * @param reset [1]
 */
export const accumulateGradient = (sum: Tensor, grad: Tensor, reset: Tensor, options?: ApplyOptions): Tensor =>
  apply(accumulateGradientOp, [sum, grad, reset], {}, options);
