/** What a training step must know of a gradient before it may use it: its norm, and whether it is finite. */
import { type ApplyOptions, apply, defineOp, operand, pass, result, scratch, shapeOf } from "../../graph/op.js";
import { sizeOf, type Tensor } from "../../graph/tensor.js";
import { gradient_statistics, gradient_statistics_join } from "../../shaders.generated.js";
import { f32, present } from "../expect.js";
import { partsOf } from "../reduction.js";
import { laneVariants, threads, viewParams } from "../views.js";

export const gradientStatisticsOp = defineOp<object>({
  name: "gradient_statistics",
  infer([g]) {
    present("gradient_statistics", "g", g);
    return f32([2]);
  },
  flops: ([g]) => 2 * sizeOf(shapeOf(g)),
  variants: laneVariants(
    (p) => [operand(p, 0)],
    (p, { count, consts, types }) => {
      const [g, y] = [operand(p, 0), result(p)];
      const size = sizeOf(g.shape);
      const parts = partsOf(size / count);
      const partial = scratch("sums of parts", 2 * parts);
      const sum = pass(gradient_statistics, {
        bind: { g, partial },
        params: { size, c: g.shape.at(-1) ?? 1, ...viewParams("g", g), parts },
        consts,
        types,
        workgroups: threads(parts),
      });
      const join = pass(gradient_statistics_join, {
        bind: { partial, y },
        params: { parts, y_offset: y.offset },
        workgroups: [1, 1, 1],
      });
      return { passes: [sum, join] };
    },
  ),
});

/**
 * Values that are not finite are found by their bits and left out of the sum. A sum past 2^100 counts as one of them.
 * @param g of any shape
 * @returns [2]: the sum of the squares, and the count of values that are not finite
 */
export const gradientStatistics = (g: Tensor, options?: ApplyOptions): Tensor =>
  apply(gradientStatisticsOp, [g], {}, options);
