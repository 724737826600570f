/** The activations as an op of their own, for where no other kernel can apply them as its epilogue. */
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { sizeOf, type Tensor } from "../../graph/tensor.js";
import { activation as shader } from "../../shaders.generated.js";
import { type ActivationAttrs, activationOverrides } from "../activation.js";
import { activationBackward } from "../activation_backward/op.js";
import { f32, present } from "../expect.js";
import { laneVariants, threads, viewOverrides } from "../views.js";

export const activationOp = defineOp<ActivationAttrs>({
  name: "activation",
  infer: ([x]) => f32(present("activation", "x", x)),
  flops: (_, [y]) => sizeOf(shapeOf(y)),
  vjp: ({ outputs: [y], attrs }, [dy]) => [dy && y ? activationBackward(dy, y, attrs) : null],
  variants: laneVariants(
    (p) => [operand(p, 0), result(p)],
    (p, lanes) => {
      const [x, y] = [operand(p, 0), result(p)];
      const SIZE = sizeOf(x.shape);
      const overrides = {
        C: x.shape.at(-1) ?? 1,
        SIZE,
        ...viewOverrides("X", x),
        ...viewOverrides("Y", y),
        ...activationOverrides(p.attrs),
      };
      const { consts, types } = lanes;
      return {
        passes: [pass(shader, { bind: { x, y }, overrides, consts, types, workgroups: threads(SIZE / lanes.count) })],
      };
    },
  ),
});

type Unary = (x: Tensor, options?: ApplyOptions) => Tensor;

/** max(x, 0), of any shape. */
export const relu: Unary = (x, options) => apply(activationOp, [x], { activation: "relu" }, options);

/** x where it is above zero, else slope * x. */
export const leakyRelu = (x: Tensor, slope: number, options?: ApplyOptions): Tensor =>
  apply(activationOp, [x], { activation: "leaky_relu", slope }, options);

/** x where it is above zero, else exp(x) - 1. */
export const elu: Unary = (x, options) => apply(activationOp, [x], { activation: "elu" }, options);

/** 1 / (1 + exp(-x)) */
export const sigmoid: Unary = (x, options) => apply(activationOp, [x], { activation: "sigmoid" }, options);

export const tanh: Unary = (x, options) => apply(activationOp, [x], { activation: "tanh" }, options);
