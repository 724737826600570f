import { operand, pass, result, type Variant } from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { conv2d_backward_weight_direct } from "../../shaders.generated.js";
import { threads } from "../views.js";
import type { Conv2dBackwardWeightAttrs } from "./op.js";

/** One thread a weight: the readable variant, which accepts everything. */
export const direct: Variant<Conv2dBackwardWeightAttrs> = {
  name: "direct",
  features: [],
  accepts: () => true,
  plan: (p) => {
    const [x, dy, dw] = [operand(p, 0), operand(p, 1), result(p)];
    const [N = 0, H = 0, W = 0, C_IN = 0] = x.shape;
    const [, OH = 0, OW = 0, C_OUT = 0] = dy.shape;
    const { kernel, stride: STRIDE, padding: PAD, reluDy = false } = p.attrs;
    const SIZE = sizeOf(dw.shape);
    const overrides = {
      N,
      H,
      W,
      C_IN,
      X_PITCH: x.pitch,
      X_OFFSET: x.offset,
      S: kernel[1],
      STRIDE,
      PAD,
      OH,
      OW,
      C_OUT,
      DY_PITCH: dy.pitch,
      DY_OFFSET: dy.offset,
      SIZE,
      RELU_DY: reluDy ? 1 : 0,
    };
    return {
      passes: [pass(conv2d_backward_weight_direct, { bind: { x, dy, dw }, overrides, workgroups: threads(SIZE) })],
    };
  },
};
