import { ceilDiv, grid1d, NONE, operand, pass, result, type Variant } from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { conv_transpose2d_direct } from "../../shaders.generated.js";
import { epilogueFusion } from "../conv2d/fused.js";
import { typeOf } from "../views.js";
import type { ConvTranspose2dAttrs } from "./op.js";
import { convTranspose2dOverrides } from "./problem.js";

/** One thread an output: the readable variant, which accepts everything. */
export const direct: Variant<ConvTranspose2dAttrs> = {
  name: "direct",
  features: [],
  f16: true,
  accepts: () => true,
  plan: (p) => {
    const [, OH = 0, OW = 0] = result(p).shape;
    const [R = 0, S = 0] = operand(p, 1).shape;
    const SIZE = sizeOf(result(p).shape);
    const { stride: STRIDE, padding: PAD } = p.attrs;
    const epilogue = epilogueFusion(p);
    const sizes = { OH, OW, R, S, STRIDE, PAD, SIZE };
    const overrides = { ...convTranspose2dOverrides(p), ...sizes, ...epilogue.overrides };
    const bind = { x: operand(p, 0), w: operand(p, 1), bias: p.inputs[2] ?? NONE, y: result(p), ...epilogue.bind };
    const types = { X: typeOf(bind.x), WEIGHT: typeOf(bind.w), Y: typeOf(bind.y), ...epilogue.types };
    const { params } = epilogue;
    const workgroups = grid1d(ceilDiv(SIZE, 64));
    return { passes: [pass(conv_transpose2d_direct, { bind, types, overrides, params, workgroups })] };
  },
};
