/** Mean and maximum over the channels of each pixel: what the predicted mask is made from. */
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { nhwc, sizeOf, type Tensor } from "../../graph/tensor.js";
import { channel_pool } from "../../shaders.generated.js";
import { channelPoolBackward } from "../channel_pool_backward/op.js";
import { f32, present } from "../expect.js";
import { laneVariants, threads, viewOverrides } from "../views.js";

export const channelPoolOp = defineOp<object>({
  name: "channel_pool",
  infer([x]) {
    const [n, h, w] = nhwc("channel_pool", "x", present("channel_pool", "x", x));
    return f32([n, h, w, 2]);
  },
  flops: ([x]) => 2 * sizeOf(shapeOf(x)),
  vjp: ({ inputs: [x] }, [dy]) => [dy && x ? channelPoolBackward(dy, x) : null],
  variants: laneVariants(
    (p) => [operand(p, 0)],
    (p, { consts, types }) => {
      const [x, y] = [operand(p, 0), result(p)];
      const C = x.shape.at(-1) ?? 1;
      const SIZE = sizeOf(x.shape) / C;
      const overrides = { C, SIZE, ...viewOverrides("X", x), ...viewOverrides("Y", y) };
      return { passes: [pass(channel_pool, { bind: { x, y }, overrides, consts, types, workgroups: threads(SIZE) })] };
    },
  ),
});

/**
 * @param x [N, H, W, C]
 * @returns [N, H, W, 2]: the mean, then the maximum
 */
export const channelPool = (x: Tensor, options?: ApplyOptions): Tensor => apply(channelPoolOp, [x], {}, options);
