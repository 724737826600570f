/** Running statistics of batch norm, in place. */
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { update_running } from "../../shaders.generated.js";
import { expectShape, f32, present } from "../expect.js";
import { threads } from "../views.js";

export interface UpdateRunningAttrs {
  /** Weight of the batch; PyTorch's default is 0.1. */
  readonly momentum: number;
  /** Multiplies the batch's statistic: n / (n - 1) makes a biased variance of n values the unbiased one that PyTorch keeps. */
  readonly scale: number;
}

export const updateRunningOp = defineOp<UpdateRunningAttrs>({
  name: "update_running",
  infer([running, statistic, gate]) {
    const shape = present("update_running", "running", running);
    expectShape("update_running", "running", running, [sizeOf(shape)], "statistics of channels");
    expectShape("update_running", "statistic", statistic, shape, `running ${showShape(shape)}`);
    expectShape("update_running", "gate", gate, [2], "a step");
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
        const [x, gate, running] = [operand(p, 1), operand(p, 2), result(p)];
        const size = sizeOf(running.shape);
        const { momentum, scale } = p.attrs;
        const params = { size, x_offset: x.offset, gate_offset: gate.offset, momentum, scale };
        return { passes: [pass(update_running, { bind: { x, gate, running }, params, workgroups: threads(size) })] };
      },
    },
  ],
});

/**
 * running = (1 - momentum) running + momentum scale statistic, where the gate's second number is not 0.
 * @param running variable [C]
 * @param statistic [C]
 * @param gate [2] from `stepGate`
 */
export const updateRunning = (
  running: Tensor,
  statistic: Tensor,
  gate: Tensor,
  attrs: UpdateRunningAttrs,
  options?: ApplyOptions,
): Tensor => apply(updateRunningOp, [running, statistic, gate], attrs, options);
