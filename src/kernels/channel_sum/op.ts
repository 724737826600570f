/** Sum over all but the channels: the gradient of a bias. */
import { type ApplyOptions, apply, defineOp, operand, pass, result, scratch, shapeOf } from "../../graph/op.js";
import { sizeOf, type Tensor } from "../../graph/tensor.js";
import { channel_sum } from "../../shaders.generated.js";
import { f32, present } from "../expect.js";
import { joinPass, slicesToSum, sliceThreads } from "../pixel_slices.js";
import { laneVariants, viewParams } from "../views.js";

export const channelSumOp = defineOp<object>({
  name: "channel_sum",
  infer: ([x]) => f32([present("channel_sum", "x", x).at(-1) ?? 1]),
  flops: ([x]) => sizeOf(shapeOf(x)),
  variants: laneVariants(
    (p) => [operand(p, 0)],
    (p, lanes) => {
      const [x, y] = [operand(p, 0), result(p)];
      const c = y.shape[0] ?? 1;
      const slices = slicesToSum({ sets: 1, setPixels: sizeOf(x.shape) / c });
      const partial = scratch("sums of the slices", slices.slices * c);
      const sum = pass(channel_sum, {
        bind: { x, partial },
        params: { ...slices, c, ...viewParams("x", x) },
        consts: lanes.consts,
        types: lanes.types,
        workgroups: sliceThreads(slices, c, lanes),
      });
      return { passes: [sum, joinPass(partial, slices, y)] };
    },
  ),
});

/**
 * @param x [..., C]
 * @returns [C]
 */
export const channelSum = (x: Tensor, options?: ApplyOptions): Tensor => apply(channelSumOp, [x], {}, options);
