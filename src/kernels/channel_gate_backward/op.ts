/** Gradients of the channel gate, x and gate alike in one reading of dy: dx = dy * g + addend, dg = sum over pixels of dy * x. */
import {
  type ApplyOptions,
  applyAll,
  defineOp,
  NONE,
  operand,
  pass,
  result,
  scratch,
  shapeOf,
} from "../../graph/op.js";
import { nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { channel_gate_backward } from "../../shaders.generated.js";
import { expectShape, f32, present } from "../expect.js";
import { joinPass, slicesToSum, sliceThreads } from "../pixel_slices.js";
import { laneVariants, viewParams } from "../views.js";

export const channelGateBackwardOp = defineOp<object>({
  name: "channel_gate_backward",
  infer([dy, x, g, addend]) {
    const shape = present("channel_gate_backward", "x", x);
    const [n, , , c] = nhwc("channel_gate_backward", "x", shape);
    expectShape("channel_gate_backward", "dy", dy, shape, `x ${showShape(shape)}`);
    expectShape("channel_gate_backward", "g", g, [n, c], `x ${showShape(shape)}`);
    if (addend) expectShape("channel_gate_backward", "addend", addend, shape, `x ${showShape(shape)}`);
    return [...f32(shape), ...f32([n, c])];
  },
  flops: (_, [dx]) => 3 * sizeOf(shapeOf(dx)),
  variants: laneVariants(
    (p) => [operand(p, 0), operand(p, 1), operand(p, 2), result(p), ...(p.inputs[3] ? [p.inputs[3]] : [])],
    (p, lanes) => {
      const [dy, x, g, dx, dg] = [operand(p, 0), operand(p, 1), operand(p, 2), result(p), result(p, 1)];
      const [sets, h, w, c] = nhwc("channel_gate_backward", "x", x.shape);
      const slices = slicesToSum({ sets, setPixels: h * w });
      const partial = scratch("gate gradients of the slices", sets * slices.slices * c);
      const backward = pass(channel_gate_backward, {
        bind: { dy, x, g, dx, partial, addend: p.inputs[3] ?? NONE },
        params: {
          ...slices,
          c,
          ...viewParams("dy", dy),
          ...viewParams("x", x),
          ...viewParams("g", g),
          ...viewParams("dx", dx),
          adds: p.inputs[3] ? 1 : 0,
          ...viewParams("addend", p.inputs[3] ?? null),
        },
        consts: lanes.consts,
        types: lanes.types,
        workgroups: sliceThreads(slices, c, lanes),
      });
      return { passes: [backward, joinPass(partial, slices, dg)] };
    },
  ),
});

export interface AddendOptions extends ApplyOptions {
  /** Added to dx, which it is like. */
  readonly addend?: Tensor | undefined;
}

/**
 * @param dy [N, H, W, C]
 * @param x [N, H, W, C]
 * @param g [N, C]
 * @returns dx [N, H, W, C], dg [N, C]
 */
export function channelGateBackward(
  dy: Tensor,
  x: Tensor,
  g: Tensor,
  { addend, ...options }: AddendOptions = {},
): { readonly dx: Tensor; readonly dg: Tensor } {
  const [dx, dg] = applyAll(channelGateBackwardOp, addend ? [dy, x, g, addend] : [dy, x, g], {}, options);
  return { dx, dg } as { dx: Tensor; dg: Tensor };
}
