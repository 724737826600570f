/** Exponential moving average of a parameter, in place. */
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { ema_update } from "../../shaders.generated.js";
import { expectShape, f32, present } from "../expect.js";
import { laneVariants, threads, viewParams } from "../views.js";

export const emaUpdateOp = defineOp<object>({
  name: "ema_update",
  infer([ema, param, gate, decay]) {
    const shape = present("ema_update", "ema", ema);
    expectShape("ema_update", "param", param, shape, `ema ${showShape(shape)}`);
    expectShape("ema_update", "gate", gate, [2], "a step");
    expectShape("ema_update", "decay", decay, [1], "a step");
    return f32(shape);
  },
  flops: ([ema]) => 3 * sizeOf(shapeOf(ema)),
  inPlace: [0],
  variants: laneVariants(
    (p) => [operand(p, 1), result(p)],
    (p, { count, consts, types }) => {
      const [x, gate, decay, ema] = [operand(p, 1), operand(p, 2), operand(p, 3), result(p)];
      const size = sizeOf(ema.shape);
      const step = pass(ema_update, {
        bind: { x, gate, decay, ema },
        params: {
          size,
          c: x.shape.at(-1) ?? 1,
          ...viewParams("x", x),
          gate_offset: gate.offset,
          decay_offset: decay.offset,
        },
        consts,
        types,
        workgroups: threads(size / count),
      });
      return { passes: [step] };
    },
  ),
});

/**
 * ema = decay ema + (1 - decay) param, where the gate's second number is not 0.
 * @param ema variable
 * @param param of the same shape
 * @param gate [2] from `stepGate`
 * @param decay [1]: weight of the past, in [0, 1)
 */
export const emaUpdate = (ema: Tensor, param: Tensor, gate: Tensor, decay: Tensor, options?: ApplyOptions): Tensor =>
  apply(emaUpdateOp, [ema, param, gate, decay], {}, options);
