/** Gradients of the blend y = m a + (1 - m) b, the mask's too. */
import { type ApplyOptions, applyAll, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { blend_backward } from "../../shaders.generated.js";
import { expectShape, f32, present } from "../expect.js";
import { laneVariants, threads, viewParams } from "../views.js";

export const blendBackwardOp = defineOp<object>({
  name: "blend_backward",
  infer([dy, a, b, m]) {
    const shape = present("blend_backward", "dy", dy);
    const [n, h, w] = nhwc("blend_backward", "dy", shape);
    const because = `dy ${showShape(shape)}`;
    expectShape("blend_backward", "a", a, shape, because);
    expectShape("blend_backward", "b", b, shape, because);
    expectShape("blend_backward", "m", m, [n, h, w, 1], because);
    return [...f32(shape), ...f32(shape), ...f32([n, h, w, 1])];
  },
  flops: ([dy]) => 6 * sizeOf(shapeOf(dy)),
  variants: laneVariants(
    (p) => [operand(p, 0), operand(p, 1), operand(p, 2), result(p), result(p, 1)],
    (p, { consts, types }) => {
      const [dy, a, b, m] = [operand(p, 0), operand(p, 1), operand(p, 2), operand(p, 3)];
      const [da, db, dm] = [result(p), result(p, 1), result(p, 2)];
      const size = sizeOf(dm.shape);
      const backward = pass(blend_backward, {
        bind: { dy, a, b, m, da, db, dm },
        params: {
          size,
          c: dy.shape[3] ?? 0,
          ...viewParams("dy", dy),
          ...viewParams("a", a),
          ...viewParams("b", b),
          ...viewParams("m", m),
          ...viewParams("da", da),
          ...viewParams("db", db),
          ...viewParams("dm", dm),
        },
        consts,
        types,
        workgroups: threads(size),
      });
      return { passes: [backward] };
    },
  ),
});

export interface BlendBackwardInputs {
  /** What was taken where the mask is 1, [N, H, W, C]. */
  readonly a: Tensor;
  /** And where it is 0. */
  readonly b: Tensor;
  /** [N, H, W, 1] */
  readonly m: Tensor;
}

/**
 * @param dy [N, H, W, C]
 * @returns da and db [N, H, W, C], dm [N, H, W, 1]
 */
export function blendBackward(
  dy: Tensor,
  { a, b, m }: BlendBackwardInputs,
  options?: ApplyOptions,
): { readonly da: Tensor; readonly db: Tensor; readonly dm: Tensor } {
  const [da, db, dm] = applyAll(blendBackwardOp, [dy, a, b, m], {}, options);
  return { da, db, dm } as { da: Tensor; db: Tensor; dm: Tensor };
}
