import { ceilDiv, NONE, operand, pass, result, type Variant } from "../../graph/op.js";
import { conv2d_subgroup } from "../../shaders.generated.js";
import type { Conv2dAttrs } from "./op.js";
import { packBlocked } from "./pack.js";
import { conv2dOverrides } from "./problem.js";

/** Measured on lavapipe (8 lanes): 16 x 16 is the fastest of 4 x 8 to 8 x 32, taller or wider tiles spill more. */
const ROWS = 16;
const CHANNELS = 16;

/** 3x3 on tiles held by one subgroup, without barriers: for CPUs that pose as GPUs. */
export const subgroup: Variant<Conv2dAttrs> = {
  name: "subgroup",
  features: ["subgroups"],
  accepts: (p, { subgroupSize }) => {
    const [r, s] = operand(p, 1).shape;
    const is3x3 = r === 3 && s === 3 && p.attrs.stride === 1 && p.attrs.padding === 1;
    return is3x3 && (subgroupSize === 4 || subgroupSize === 8 || subgroupSize === 16);
  },
  suits: (_, { software }) => software,
  plan: (p, { subgroupSize: LANES }) => {
    const { H, W, C_IN, X_PITCH, X_OFFSET, C_OUT, Y_PITCH, Y_OFFSET, HAS_BIAS, ACTIVATION, SLOPE } = conv2dOverrides(p);
    const { packed, prepare } = packBlocked(operand(p, 1), CHANNELS);
    const main = pass(conv2d_subgroup, {
      bind: { x: operand(p, 0), w: packed, bias: p.inputs[2] ?? NONE, y: result(p) },
      overrides: { H, W, C_IN, X_PITCH, X_OFFSET, C_OUT, Y_PITCH, Y_OFFSET, HAS_BIAS, ACTIVATION, SLOPE },
      consts: { LANES, ROWS, CHANNELS },
      workgroups: [ceilDiv(W, LANES), (result(p).shape[0] ?? 1) * ceilDiv(H, ROWS), ceilDiv(C_OUT, CHANNELS)],
    });
    return { prepare: [prepare], passes: [main] };
  },
};
