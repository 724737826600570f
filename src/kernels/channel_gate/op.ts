/** The channel gate's product: each channel of each image scaled by one number. */
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { channel_gate } from "../../shaders.generated.js";
import { channelGateBackward } from "../channel_gate_backward/op.js";
import { expectF32, expectShape, present } from "../expect.js";
import { laneVariants, threads, typeOf, viewOverrides } from "../views.js";

export const channelGateOp = defineOp<object>({
  name: "channel_gate",
  infer([x, g]) {
    const shape = present("channel_gate", "x", x);
    const [n, , , c] = nhwc("channel_gate", "x", shape);
    expectShape("channel_gate", "g", g, [n, c], `x ${showShape(shape)}`);
    expectF32("channel_gate", "g", g);
    return [{ shape, dtype: x?.dtype ?? "f32" }];
  },
  flops: (_, [y]) => sizeOf(shapeOf(y)),
  vjp({ inputs: [x, g], claim }, [dy]) {
    if (!dy || !x || !g) return [];
    const { dx, dg } = channelGateBackward(dy, x, g, { addend: claim(0) ?? undefined });
    return [dx, dg];
  },
  variants: laneVariants(
    (p) => [operand(p, 0), operand(p, 1), result(p)],
    (p, lanes) => {
      const [x, g, y] = [operand(p, 0), operand(p, 1), result(p)];
      const [, H, W, C] = nhwc("channel_gate", "x", x.shape);
      const SIZE = sizeOf(x.shape);
      const views = { ...viewOverrides("X", x), ...viewOverrides("G", g), ...viewOverrides("Y", y) };
      const overrides = { C, HW: H * W, SIZE, ...views };
      const { consts, count } = lanes;
      const types = { ...lanes.types, X: typeOf(x, count), Y: typeOf(y, count) };
      const workgroups = threads(SIZE / count);
      return { passes: [pass(channel_gate, { bind: { x, g, y }, overrides, consts, types, workgroups })] };
    },
    { f16: true },
  ),
});

/**
 * x * g
 * @param x [N, H, W, C]
 * @param g [N, C]
 * @returns [N, H, W, C]
 */
export const channelGate = (x: Tensor, g: Tensor, options?: ApplyOptions): Tensor =>
  apply(channelGateOp, [x, g], {}, options);
