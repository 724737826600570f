/** Running statistics of batch norm, in place. */
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { update_running } from "../../shaders.generated.js";
import { expectShape, f32, present } from "../expect.js";
import { threads } from "../views.js";

export interface UpdateRunningAttrs {
  /** Weight of the batch; PyTorch's default is 0.1. */
  readonly momentum: number;
}

export const updateRunningOp = defineOp<UpdateRunningAttrs>({
  name: "update_running",
  infer([running, statistic, gate, scale]) {
    const shape = present("update_running", "running", running);
    expectShape("update_running", "running", running, [sizeOf(shape)], "statistics of channels");
    expectShape("update_running", "statistic", statistic, shape, `running ${showShape(shape)}`);
    expectShape("update_running", "gate", gate, [2], "a step");
    expectShape("update_running", "scale", scale, shape, `running ${showShape(shape)}`);
    return f32(shape);
  },
  flops: ([running]) => 4 * sizeOf(shapeOf(running)),
  inPlace: [0],
  variants: [
    {
      name: "direct",
      features: [],
      accepts: () => true,
      plan(p) {
        const [x, gate, scale, running] = [operand(p, 1), operand(p, 2), operand(p, 3), result(p)];
        const size = sizeOf(running.shape);
        const { momentum } = p.attrs;
        const params = { size, x_offset: x.offset, gate_offset: gate.offset, scale_offset: scale.offset, momentum };
        const bind = { x, gate, scale, running };
        return { passes: [pass(update_running, { bind, params, workgroups: threads(size) })] };
      },
    },
  ],
});

/**
 * running = (1 - momentum) running + momentum scale statistic, where the gate's second number is not 0.
 * @param running variable [C]
 * @param statistic [C]
 * @param gate [2] from `stepGate`
 * @param scale [C], of the batch's statistic: n / (n - 1) makes a biased variance of n values the unbiased one that
 *   PyTorch keeps
 */
export const updateRunning = (
  running: Tensor,
  statistic: Tensor,
  gate: Tensor,
  scale: Tensor,
  attrs: UpdateRunningAttrs,
  options?: ApplyOptions,
): Tensor => apply(updateRunningOp, [running, statistic, gate, scale], attrs, options);
