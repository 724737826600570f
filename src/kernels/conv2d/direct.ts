import { ceilDiv, grid1d, NONE, operand, pass, result, type Variant } from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { conv2d_direct } from "../../shaders.generated.js";
import { typeOf } from "../views.js";
import type { Conv2dAttrs } from "./op.js";
import { conv2dOverrides } from "./problem.js";

/** One thread an output: the readable variant, which accepts everything. */
export const direct: Variant<Conv2dAttrs> = {
  name: "direct",
  features: [],
  f16: true,
  accepts: () => true,
  plan: (p) => {
    const SIZE = sizeOf(result(p).shape);
    const bind = { x: operand(p, 0), w: operand(p, 1), bias: p.inputs[2] ?? NONE, y: result(p) };
    return {
      passes: [
        pass(conv2d_direct, {
          bind,
          types: { X: typeOf(bind.x), WEIGHT: typeOf(bind.w), Y: typeOf(bind.y) },
          overrides: { ...conv2dOverrides(p), SIZE },
          workgroups: grid1d(ceilDiv(SIZE, 64)),
        }),
      ],
    };
  },
};
