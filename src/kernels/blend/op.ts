/** Equation (2) of S2AM, the final image of the mask-free network: y = m a + (1 - m) b. */
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { blend as shader } from "../../shaders.generated.js";
import { blendBackward } from "../blend_backward/op.js";
import { expectShape, f32, present } from "../expect.js";
import { laneVariants, threads, viewOverrides } from "../views.js";

export const blendOp = defineOp<object>({
  name: "blend",
  infer([a, b, m]) {
    const shape = present("blend", "a", a);
    const [n, h, w] = nhwc("blend", "a", shape);
    expectShape("blend", "b", b, shape, `a ${showShape(shape)}`);
    expectShape("blend", "m", m, [n, h, w, 1], `a ${showShape(shape)}`);
    return f32(shape);
  },
  flops: (_, [y]) => 4 * sizeOf(shapeOf(y)),
  vjp({ inputs: [a, b, m] }, [dy]) {
    if (!dy || !a || !b || !m) return [];
    const { da, db, dm } = blendBackward(dy, { a, b, m });
    return [da, db, dm];
  },
  variants: laneVariants(
    (p) => [operand(p, 0), operand(p, 1), result(p)],
    (p, lanes) => {
      const [a, b, m, y] = [operand(p, 0), operand(p, 1), operand(p, 2), result(p)];
      const SIZE = sizeOf(y.shape);
      const overrides = {
        C: y.shape.at(-1) ?? 1,
        SIZE,
        ...viewOverrides("A", a),
        ...viewOverrides("B", b),
        ...viewOverrides("M", m),
        ...viewOverrides("Y", y),
      };
      const { consts, types } = lanes;
      const workgroups = threads(SIZE / lanes.count);
      return { passes: [pass(shader, { bind: { a, b, m, y }, overrides, consts, types, workgroups })] };
    },
  ),
});

/**
 * @param a [N, H, W, C]: taken where the mask is 1
 * @param b [N, H, W, C]: taken where it is 0
 * @param m [N, H, W, 1]
 * @returns [N, H, W, C]
 */
export const blend = (a: Tensor, b: Tensor, m: Tensor, options?: ApplyOptions): Tensor =>
  apply(blendOp, [a, b, m], {}, options);
