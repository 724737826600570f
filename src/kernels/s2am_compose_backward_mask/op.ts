/** The mask's gradient of S2AM's equation (1), for networks that predict it: dm = sum of dy (l + x gMix - x gBg). */
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { s2am_compose_backward_mask } from "../../shaders.generated.js";
import { expectShape, f32, present } from "../expect.js";
import { laneVariants, threads, viewParams } from "../views.js";

export const s2amComposeBackwardMaskOp = defineOp<object>({
  name: "s2am_compose_backward_mask",
  infer([dy, l, x, gates]) {
    const shape = present("s2am_compose_backward_mask", "x", x);
    const [n, h, w, c] = nhwc("s2am_compose_backward_mask", "x", shape);
    const because = `x ${showShape(shape)}`;
    expectShape("s2am_compose_backward_mask", "dy", dy, shape, because);
    expectShape("s2am_compose_backward_mask", "l", l, shape, because);
    expectShape("s2am_compose_backward_mask", "gates", gates, [n, 2 * c], because);
    return f32([n, h, w, 1]);
  },
  flops: ([dy]) => 5 * sizeOf(shapeOf(dy)),
  variants: laneVariants(
    (p) => [0, 1, 2, 3].map((i) => operand(p, i)),
    (p, { consts, types }) => {
      const [dy, l, x] = [operand(p, 0), operand(p, 1), operand(p, 2)];
      const [gates, dm] = [operand(p, 3), result(p)];
      const [n, h, w, c] = nhwc("s2am_compose_backward_mask", "x", x.shape);
      const size = n * h * w;
      const backward = pass(s2am_compose_backward_mask, {
        bind: { dy, l, x, gates, dm },
        params: {
          size,
          hw: h * w,
          c,
          ...viewParams("dy", dy),
          ...viewParams("l", l),
          ...viewParams("x", x),
          ...viewParams("gates", gates),
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

export interface S2amComposeBackwardMaskInputs {
  /** Gradient of the composition before its activation, [N, H, W, C]. */
  readonly dy: Tensor;
  /** What the learnable block made, [N, H, W, C]. */
  readonly l: Tensor;
  /** The features, [N, H, W, C]. */
  readonly x: Tensor;
  /** The gates, [N, 2 C]. */
  readonly gates: Tensor;
}

/** @returns [N, H, W, 1] */
export const s2amComposeBackwardMask = (
  { dy, l, x, gates }: S2amComposeBackwardMaskInputs,
  options?: ApplyOptions,
): Tensor => apply(s2amComposeBackwardMaskOp, [dy, l, x, gates], {}, options);
