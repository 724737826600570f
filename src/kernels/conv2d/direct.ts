import { ceilDiv, grid1d, NONE, operand, pass, result, type Variant } from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { conv2d_direct } from "../../shaders.generated.js";
import { typeOf } from "../views.js";
import { epilogueFusion, gateFusion, gateOf } from "./fused.js";
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
    const [gate, epilogue] = [gateFusion(gateOf(p)), epilogueFusion(p)];
    const bind = { x: operand(p, 0), w: operand(p, 1), bias: p.inputs[2] ?? NONE, y: result(p) };
    return {
      passes: [
        pass(conv2d_direct, {
          bind: { ...bind, ...gate.bind, ...epilogue.bind },
          types: { X: typeOf(bind.x), WEIGHT: typeOf(bind.w), Y: typeOf(bind.y), ...epilogue.types },
          overrides: { ...conv2dOverrides(p), SIZE, ...gate.overrides, ...epilogue.overrides },
          params: { ...gate.params, ...epilogue.params },
          workgroups: grid1d(ceilDiv(SIZE, 64)),
        }),
      ],
    };
  },
};
