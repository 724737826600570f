import { ceilDiv, operand, pass, result, type Variant } from "../../graph/op.js";
import { conv2d_backward_weight_subgroup } from "../../shaders.generated.js";
import { isSubgroupSize } from "../conv2d/subgroup.js";
import type { Conv2dBackwardWeightAttrs } from "./op.js";
import { joinSlices, slicesOf } from "./slices.js";

/** Tiles of the gradient held by one subgroup, without barriers. For software adapters. */
export const subgroup: Variant<Conv2dBackwardWeightAttrs> = {
  name: "subgroup",
  features: ["subgroups"],
  accepts: (_, { subgroupSize }) => isSubgroupSize(subgroupSize),
  suits: (_, { software }) => software,
  plan: (p, { subgroupSize: LANES }) => {
    const [x, dy, dw] = [operand(p, 0), operand(p, 1), result(p)];
    const [n = 0, h = 0, w = 0, cIn = 0] = x.shape;
    const [, oh = 0, ow = 0, cOut = 0] = dy.shape;
    const {
      kernel: [r, S],
      stride: STRIDE,
      padding,
      reluDy = false,
    } = p.attrs;
    const [GROUPS = 1, CHANNELS = 16, DEPTH = 2] = LANES === 4 ? [1, 16, 2] : [2, 32, 2];
    const tiles = [ceilDiv(r * cIn, GROUPS * LANES), ceilDiv(cOut, CHANNELS)] as const;
    const { slices, each } = slicesOf(n * oh, tiles[0] * tiles[1]);
    const { partial, join } = joinSlices(dw, slices);
    const main = pass(conv2d_backward_weight_subgroup, {
      bind: { x, dy, dw: partial },
      overrides: { RELU_DY: reluDy ? 1 : 0 },
      consts: { LANES, GROUPS, S, STRIDE, KEPT: Math.max(0, S - STRIDE), CHANNELS, DEPTH },
      params: {
        h,
        w,
        c_in: cIn,
        x_pitch: x.pitch,
        x_offset: x.offset,
        oh,
        ow,
        c_out: cOut,
        dy_pitch: dy.pitch,
        dy_offset: dy.offset,
        kernel_rows: r,
        pad: padding,
        rows: n * oh,
        slice_rows: each,
        steps: ceilDiv(ow, DEPTH),
      },
      workgroups: [...tiles, slices],
    });
    return { passes: [main, ...join] };
  },
};
