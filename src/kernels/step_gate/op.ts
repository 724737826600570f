/** Decides on the device whether an optimizer steps, and how far the gradients are cut: no value has to come back first. */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, apply, defineOp, operand, pass, result } from "../../graph/op.js";
import { showShape, type Tensor } from "../../graph/tensor.js";
import { step_gate } from "../../shaders.generated.js";
import { concat } from "../concat/op.js";
import { expectShape, f32, present } from "../expect.js";

/** Numbers of the vector that optimizers are steered by: see `adam`. */
export const HYPER_SIZE = 8;

export const stepGateOp = defineOp<object>({
  name: "step_gate",
  infer([statistics, hyper]) {
    const shape = present("step_gate", "statistics", statistics);
    if (shape.length !== 1 || (shape[0] ?? 1) % 2 !== 0) {
      throw new ShapeError(`step_gate: statistics must be pairs [2 P], got ${showShape(shape)}`);
    }
    expectShape("step_gate", "hyper", hyper, [HYPER_SIZE], "an optimizer");
    return f32([2]);
  },
  flops: ([statistics]) => statistics?.shape[0] ?? 0,
  variants: [
    {
      name: "direct",
      features: [],
      accepts: () => true,
      plan(p) {
        const [statistics, hyper, y] = [operand(p, 0), operand(p, 1), result(p)];
        const params = {
          tensors: (statistics.shape[0] ?? 0) / 2,
          statistics_offset: statistics.offset,
          hyper_offset: hyper.offset,
          y_offset: y.offset,
        };
        return { passes: [pass(step_gate, { bind: { statistics, hyper, y }, params, workgroups: [1, 1, 1] })] };
      },
    },
  ],
});

/**
 * @param statistics `gradientStatistics` of every parameter's gradient, one by one or joined already: [2 P]
 * @param hyper [8] as `adam` takes it; its last number is the norm that all gradients together are cut to, 0 for none
 * @returns [2]: what gradients are to be multiplied by, min(1, norm to cut to / (norm + 1e-6)) as PyTorch's
 *   `clip_grad_norm_`; and 1 to step. Both are 0 where any gradient is not finite
 */
export const stepGate = (statistics: Tensor | readonly Tensor[], hyper: Tensor, options?: ApplyOptions): Tensor =>
  apply(stepGateOp, ["shape" in statistics ? statistics : concat(statistics), hyper], {}, options);
