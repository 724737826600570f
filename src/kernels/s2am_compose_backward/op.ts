/** Gradients of S2AM's equation (1) in one pass over the features; the mask's is an op of its own, for few need it. */
import { type ApplyOptions, applyAll, defineOp, operand, pass, result, scratch, shapeOf } from "../../graph/op.js";
import { nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { s2am_compose_backward } from "../../shaders.generated.js";
import { expectShape, f32, present } from "../expect.js";
import { joinPass, slicesToSum, sliceThreads } from "../pixel_slices.js";
import { laneVariants, viewParams } from "../views.js";

export const s2amComposeBackwardOp = defineOp<object>({
  name: "s2am_compose_backward",
  infer([dy, x, gMix, gBg, m]) {
    const shape = present("s2am_compose_backward", "x", x);
    const [n, h, w, c] = nhwc("s2am_compose_backward", "x", shape);
    const because = `x ${showShape(shape)}`;
    expectShape("s2am_compose_backward", "dy", dy, shape, because);
    expectShape("s2am_compose_backward", "gMix", gMix, [n, c], because);
    expectShape("s2am_compose_backward", "gBg", gBg, [n, c], because);
    expectShape("s2am_compose_backward", "m", m, [n, h, w, 1], because);
    return [...f32(shape), ...f32(shape), ...f32([n, c]), ...f32([n, c])];
  },
  flops: (_, [dl]) => 11 * sizeOf(shapeOf(dl)),
  variants: laneVariants(
    (p) => [operand(p, 0), operand(p, 1), operand(p, 2), operand(p, 3), result(p), result(p, 1)],
    (p, lanes) => {
      const [dy, x, g_mix, g_bg, m] = [operand(p, 0), operand(p, 1), operand(p, 2), operand(p, 3), operand(p, 4)];
      const [dl, dx] = [result(p), result(p, 1)];
      const [sets, h, w, c] = nhwc("s2am_compose_backward", "x", x.shape);
      const slices = slicesToSum({ sets, setPixels: h * w });
      const partial = scratch("gate gradients of the slices", sets * slices.slices * 2 * c);
      const backward = pass(s2am_compose_backward, {
        bind: { dy, x, g_mix, g_bg, m, dl, dx, partial },
        params: {
          ...slices,
          c,
          ...viewParams("dy", dy),
          ...viewParams("x", x),
          ...viewParams("mix", g_mix),
          ...viewParams("bg", g_bg),
          ...viewParams("m", m),
          ...viewParams("dl", dl),
          ...viewParams("dx", dx),
        },
        consts: lanes.consts,
        types: lanes.types,
        workgroups: sliceThreads(slices, c, lanes),
      });
      const joins = [0, 1].map((plane) => joinPass(partial, slices, { planes: 2, plane }, result(p, 2 + plane)));
      return { passes: [backward, ...joins] };
    },
  ),
});

export interface S2amComposeBackwardInputs {
  /** Gradient of the composition before its activation, [N, H, W, C]. */
  readonly dy: Tensor;
  /** The features, [N, H, W, C]. */
  readonly x: Tensor;
  /** The gates, [N, C]. */
  readonly gMix: Tensor;
  readonly gBg: Tensor;
  /** The blurred mask, [N, H, W, 1]. */
  readonly m: Tensor;
}

export interface S2amComposeGradients {
  /** [N, H, W, C] */
  readonly dl: Tensor;
  readonly dx: Tensor;
  /** [N, C] */
  readonly dMix: Tensor;
  readonly dBg: Tensor;
}

export function s2amComposeBackward(
  { dy, x, gMix, gBg, m }: S2amComposeBackwardInputs,
  options?: ApplyOptions,
): S2amComposeGradients {
  const [dl, dx, dMix, dBg] = applyAll(s2amComposeBackwardOp, [dy, x, gMix, gBg, m], {}, options);
  return { dl, dx, dMix, dBg } as S2amComposeGradients;
}
