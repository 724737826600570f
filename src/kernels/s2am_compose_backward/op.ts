/** Gradients of S2AM's equation (1) in one pass over the features; the mask's is an op of its own, for few need it. */
import { type ApplyOptions, applyAll, defineOp, operand, pass, result, scratch, shapeOf } from "../../graph/op.js";
import { nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { s2am_compose_backward } from "../../shaders.generated.js";
import { expectShape, f32, present } from "../expect.js";
import { joinPass, slicesToSum, sliceThreads } from "../pixel_slices.js";
import { laneVariants, viewParams } from "../views.js";

export const s2amComposeBackwardOp = defineOp<object>({
  name: "s2am_compose_backward",
  infer([dy, x, gates, m]) {
    const shape = present("s2am_compose_backward", "x", x);
    const [n, h, w, c] = nhwc("s2am_compose_backward", "x", shape);
    const because = `x ${showShape(shape)}`;
    expectShape("s2am_compose_backward", "dy", dy, shape, because);
    expectShape("s2am_compose_backward", "gates", gates, [n, 2 * c], because);
    expectShape("s2am_compose_backward", "m", m, [n, h, w, 1], because);
    return [...f32(shape), ...f32(shape), ...f32([n, 2 * c])];
  },
  flops: (_, [dl]) => 11 * sizeOf(shapeOf(dl)),
  variants: laneVariants(
    (p) => [operand(p, 0), operand(p, 1), operand(p, 2), result(p), result(p, 1)],
    (p, lanes) => {
      const [dy, x, gates, m] = [operand(p, 0), operand(p, 1), operand(p, 2), operand(p, 3)];
      const [dl, dx] = [result(p), result(p, 1)];
      const [sets, h, w, c] = nhwc("s2am_compose_backward", "x", x.shape);
      const slices = slicesToSum({ sets, setPixels: h * w });
      const partial = scratch("gate gradients of the slices", sets * slices.slices * 2 * c);
      const backward = pass(s2am_compose_backward, {
        bind: { dy, x, gates, m, dl, dx, partial },
        params: {
          ...slices,
          c,
          ...viewParams("dy", dy),
          ...viewParams("x", x),
          ...viewParams("gates", gates),
          ...viewParams("m", m),
          ...viewParams("dl", dl),
          ...viewParams("dx", dx),
        },
        consts: lanes.consts,
        types: lanes.types,
        workgroups: sliceThreads(slices, c, lanes),
      });
      return { passes: [backward, joinPass(partial, slices, result(p, 2))] };
    },
  ),
});

export interface S2amComposeBackwardInputs {
  /** Gradient of the composition before its activation, [N, H, W, C]. */
  readonly dy: Tensor;
  /** The features, [N, H, W, C]. */
  readonly x: Tensor;
  /** The gates, [N, 2 C]. */
  readonly gates: Tensor;
  /** The blurred mask, [N, H, W, 1]. */
  readonly m: Tensor;
}

export interface S2amComposeGradients {
  /** [N, H, W, C] */
  readonly dl: Tensor;
  readonly dx: Tensor;
  /** [N, 2 C] */
  readonly dGates: Tensor;
}

export function s2amComposeBackward(
  { dy, x, gates, m }: S2amComposeBackwardInputs,
  options?: ApplyOptions,
): S2amComposeGradients {
  const [dl, dx, dGates] = applyAll(s2amComposeBackwardOp, [dy, x, gates, m], {}, options);
  return { dl, dx, dGates } as S2amComposeGradients;
}
