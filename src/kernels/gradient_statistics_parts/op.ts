/** `gradientStatistics` of many small gradients that lie in one tensor, in one dispatch: a workgroup a gradient. */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { constant, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { gradient_statistics_parts } from "../../shaders.generated.js";
import { f32, present } from "../expect.js";
import { viewParams } from "../views.js";

export const gradientStatisticsPartsOp = defineOp<object>({
  name: "gradient_statistics_parts",
  infer([g, parts]) {
    present("gradient_statistics_parts", "g", g);
    const [count = 0, two] = present("gradient_statistics_parts", "parts", parts);
    if (two !== 2) {
      throw new ShapeError(
        `gradient_statistics_parts: parts must be [P,2], a start and a length each, got ${showShape(shapeOf(parts))}`,
      );
    }
    return f32([2 * count]);
  },
  flops: ([g]) => 2 * sizeOf(shapeOf(g)),
  variants: [
    {
      name: "direct",
      features: [],
      accepts: () => true,
      plan(p) {
        const [g, parts, y] = [operand(p, 0), operand(p, 1), result(p)];
        const params = { c: g.shape.at(-1) ?? 1, ...viewParams("g", g), y_offset: y.offset };
        const workgroups = [parts.shape[0] ?? 0, 1, 1] as const;
        return { passes: [pass(gradient_statistics_parts, { bind: { g, parts, y }, params, workgroups })] };
      },
    },
  ],
});

export interface GradientPart {
  readonly start: number;
  readonly length: number;
}

/**
 * @param g of any shape
 * @returns [2 P]: of each part what `gradientStatistics` returns
 */
export function gradientStatisticsParts(g: Tensor, parts: readonly GradientPart[], options?: ApplyOptions): Tensor {
  const table = Float32Array.from(parts.flatMap(({ start, length }) => [start, length]));
  return apply(gradientStatisticsPartsOp, [g, constant("parts", [parts.length, 2], table)], {}, options);
}
