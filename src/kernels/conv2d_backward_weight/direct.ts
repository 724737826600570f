import { operand, pass, result, type Variant } from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { conv2d_backward_weight_direct } from "../../shaders.generated.js";
import { threads, viewParams } from "../views.js";
import type { Conv2dBackwardWeightAttrs } from "./op.js";
import { backwardWeightParams } from "./problem.js";

/** One thread a weight: the readable variant, which accepts everything. */
export const direct: Variant<Conv2dBackwardWeightAttrs> = {
  name: "direct",
  features: [],
  accepts: () => true,
  plan: (p) => {
    const [x, dy, dw] = [operand(p, 0), operand(p, 1), result(p)];
    const rows = sizeOf(dw.shape) / (dw.shape[3] ?? 1);
    const params = {
      ...backwardWeightParams(p),
      n: x.shape[0] ?? 0,
      kernel_w: p.attrs.kernel[1],
      stride: p.attrs.stride,
      relu_dy: p.attrs.reluDy ? 1 : 0,
      ...viewParams("dw", dw),
      rows,
    };
    return {
      passes: [
        pass(conv2d_backward_weight_direct, { bind: { x, dy, dw }, params, workgroups: threads(sizeOf(dw.shape)) }),
      ],
    };
  },
};
