import { ceilDiv, NONE, operand, pass, result, type Variant } from "../../graph/op.js";
import { conv2d_subgroup_3x3 } from "../../shaders.generated.js";
import { activationOverrides } from "../activation.js";
import type { Conv2dAttrs } from "./op.js";
import { packSubgroup } from "./pack.js";
import { conv2dOverrides } from "./problem.js";
import { isSubgroupSize } from "./subgroup.js";

/** Measured on lavapipe (8 lanes): 16 x 16 is the fastest of 4 x 8 to 8 x 32; taller or wider tiles spill more. */
const ROWS = 16;
const CHANNELS = 16;

/** 3x3 of stride 1 on tiles held by one subgroup, each input loaded once for its nine taps. For software adapters. */
export const subgroup3x3: Variant<Conv2dAttrs> = {
  name: "subgroup_3x3",
  features: ["subgroups"],
  accepts: (p, { subgroupSize }) => {
    const [r, s] = operand(p, 1).shape;
    return r === 3 && s === 3 && p.attrs.stride === 1 && p.attrs.padding === 1 && isSubgroupSize(subgroupSize);
  },
  // A tile of 16 rows on a map of few would mostly compute what it throws away.
  suits: (p, { software }) => software && (result(p).shape[1] ?? 0) > ROWS / 2,
  plan: (p, { subgroupSize: LANES }) => {
    const { H, W, C_IN, X_PITCH, X_OFFSET, C_OUT, Y_PITCH, Y_OFFSET, HAS_BIAS } = conv2dOverrides(p);
    const { packed, prepare } = packSubgroup(operand(p, 1), {
      channels: CHANNELS,
      depth: 1,
      tapInside: true,
      transposed: false,
    });
    const main = pass(conv2d_subgroup_3x3, {
      bind: { x: operand(p, 0), w: packed, bias: p.inputs[2] ?? NONE, y: result(p) },
      overrides: { HAS_BIAS, ...activationOverrides(p.attrs) },
      consts: { LANES, ROWS, CHANNELS },
      params: {
        h: H,
        w: W,
        c_in: C_IN,
        x_pitch: X_PITCH,
        x_offset: X_OFFSET,
        c_out: C_OUT,
        y_pitch: Y_PITCH,
        y_offset: Y_OFFSET,
      },
      workgroups: [ceilDiv(W, LANES), (result(p).shape[0] ?? 1) * ceilDiv(H, ROWS), ceilDiv(C_OUT, CHANNELS)],
    });
    return { prepare: [prepare], passes: [main] };
  },
};
