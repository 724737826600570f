/** Gradient of mean and maximum over the channels; the maximum's goes to the first of the largest. */
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { channel_pool_backward } from "../../shaders.generated.js";
import { expectShape, f32, present } from "../expect.js";
import { threads, viewParams } from "../views.js";

export const channelPoolBackwardOp = defineOp<object>({
  name: "channel_pool_backward",
  infer([dy, x]) {
    const shape = present("channel_pool_backward", "x", x);
    const [n, h, w] = nhwc("channel_pool_backward", "x", shape);
    expectShape("channel_pool_backward", "dy", dy, [n, h, w, 2], `x ${showShape(shape)}`);
    return f32(shape);
  },
  flops: ([, x]) => 2 * sizeOf(shapeOf(x)),
  variants: [
    {
      name: "direct",
      features: [],
      accepts: () => true,
      plan(p) {
        const [dy, x, dx] = [operand(p, 0), operand(p, 1), result(p)];
        const [n, h, w, c] = nhwc("channel_pool_backward", "x", x.shape);
        const size = n * h * w;
        const params = { size, c, ...viewParams("dy", dy), ...viewParams("x", x), ...viewParams("dx", dx) };
        return { passes: [pass(channel_pool_backward, { bind: { dy, x, dx }, params, workgroups: threads(size) })] };
      },
    },
  ],
});

/**
 * @param dy [N, H, W, 2]: gradients of the mean, of the maximum
 * @param x [N, H, W, C]
 * @returns [N, H, W, C]
 */
export const channelPoolBackward = (dy: Tensor, x: Tensor, options?: ApplyOptions): Tensor =>
  apply(channelPoolBackwardOp, [dy, x], {}, options);
