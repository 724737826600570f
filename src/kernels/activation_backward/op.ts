/** Gradient of an activation, told from its output: no activation's input has to be kept. */
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { activation_backward } from "../../shaders.generated.js";
import { type ActivationAttrs, activationOverrides } from "../activation.js";
import { expectShape, f32, present } from "../expect.js";
import { laneVariants, threads, viewParams } from "../views.js";

export const activationBackwardOp = defineOp<ActivationAttrs>({
  name: "activation_backward",
  infer([dy, y]) {
    const shape = present("activation_backward", "dy", dy);
    expectShape("activation_backward", "y", y, shape, `dy ${showShape(shape)}`);
    return f32(shape);
  },
  flops: (_, [dx]) => 2 * sizeOf(shapeOf(dx)),
  variants: laneVariants(
    (p) => [operand(p, 0), operand(p, 1), result(p)],
    (p, lanes) => {
      const [dy, y, dx] = [operand(p, 0), operand(p, 1), result(p)];
      const size = sizeOf(dx.shape);
      const { consts, types } = lanes;
      const backward = pass(activation_backward, {
        bind: { dy, y, dx },
        overrides: activationOverrides(p.attrs),
        params: {
          size,
          c: dx.shape.at(-1) ?? 1,
          ...viewParams("dy", dy),
          ...viewParams("y", y),
          ...viewParams("dx", dx),
        },
        consts,
        types,
        workgroups: threads(size / lanes.count),
      });
      return { passes: [backward] };
    },
  ),
});

/**
 * @param dy gradient of the activation's output
 * @param y the output itself (for relu and leaky_relu its input does as well: they have one sign)
 */
export const activationBackward = (dy: Tensor, y: Tensor, attrs: ActivationAttrs, options?: ApplyOptions): Tensor =>
  apply(activationBackwardOp, [dy, y], attrs, options);

/** The gradient before an op's epilogue from the gradient after it. */
export const beforeActivation = (
  dy: Tensor,
  y: Tensor | undefined,
  { activation = "none", slope = 0 }: ActivationAttrs,
): Tensor => (activation === "none" || !y ? dy : activationBackward(dy, y, { activation, slope }));
