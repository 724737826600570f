/** Sum over all but the channels: the gradient of a bias. */
import { type ApplyOptions, apply, defineOp, operand, pass, result, scratch, shapeOf } from "../../graph/op.js";
import { sizeOf, type Tensor } from "../../graph/tensor.js";
import { channel_sum } from "../../shaders.generated.js";
import { f32, present } from "../expect.js";
import { threads } from "../views.js";

export const channelSumOp = defineOp<object>({
  name: "channel_sum",
  infer: ([x]) => f32([present("channel_sum", "x", x).at(-1) ?? 1]),
  flops: ([x]) => sizeOf(shapeOf(x)),
  variants: [
    {
      name: "direct",
      features: [],
      accepts: () => true,
      plan(p) {
        const [x, y] = [operand(p, 0), result(p)];
        const C = y.shape[0] ?? 1;
        const PIXELS = sizeOf(x.shape) / C;
        // The square root splits the additions evenly between the passes, and keeps both chains short.
        const PARTS = Math.ceil(Math.sqrt(PIXELS));
        const parts = scratch("parts", PARTS * C);
        const first = pass(channel_sum, {
          bind: { x, y: parts },
          overrides: { PIXELS, C, PARTS, X_PITCH: x.pitch, X_OFFSET: x.offset },
          workgroups: threads(PARTS * C),
        });
        const second = pass(channel_sum, {
          bind: { x: parts, y },
          overrides: { PIXELS: PARTS, C, PARTS: 1, X_PITCH: C, X_OFFSET: 0 },
          workgroups: threads(C),
        });
        return { passes: [first, second] };
      },
    },
  ],
});

/**
 * @param x [..., C]
 * @returns [C]
 */
export const channelSum = (x: Tensor, options?: ApplyOptions): Tensor => apply(channelSumOp, [x], {}, options);
