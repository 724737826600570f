import { ceilDiv, operand, pass, result, type Variant } from "../../graph/op.js";
import { conv2d_backward_weight_subgroup } from "../../shaders.generated.js";
import { isSubgroupSize, weightGradientTile } from "../conv2d/tiles.js";
import type { Conv2dBackwardWeightAttrs } from "./op.js";
import { backwardWeightParams } from "./problem.js";
import { joinSlices, slicesOf } from "./slices.js";

/** Kernel columns that a tile has registers for. */
const MOST_COLUMNS = 8;

/** Workgroups that keep every core of a machine busy. */
const WORKGROUPS = 64;

/** Tiles of the gradient held by one subgroup, without barriers. For software adapters. */
export const subgroup: Variant<Conv2dBackwardWeightAttrs> = {
  name: "subgroup",
  features: ["subgroups"],
  accepts: (p, { subgroupSize }) => isSubgroupSize(subgroupSize) && p.attrs.kernel[1] <= MOST_COLUMNS,
  suits: (_, { software }) => software,
  plan: (p, { subgroupSize: LANES }) => {
    const [x, dy, dw] = [operand(p, 0), operand(p, 1), result(p)];
    const params = backwardWeightParams(p);
    const rows = (x.shape[0] ?? 0) * params.oh;
    const {
      kernel: [r, S],
      stride: STRIDE,
      reluDy = false,
    } = p.attrs;
    const { GROUPS, CHANNELS, DEPTH } = weightGradientTile(LANES, S, STRIDE, params.c_out);
    const tiles = [ceilDiv(r * params.c_in, GROUPS * LANES), ceilDiv(params.c_out, CHANNELS)] as const;
    const { slices, each } = slicesOf(rows, tiles[0] * tiles[1], WORKGROUPS);
    const { partial, join } = joinSlices(dw, slices);
    const main = pass(conv2d_backward_weight_subgroup, {
      bind: { x, dy, dw: partial },
      overrides: { RELU_DY: reluDy ? 1 : 0 },
      consts: { LANES, GROUPS, S, STRIDE, KEPT: Math.max(0, S - STRIDE), CHANNELS, DEPTH },
      params: { ...params, kernel_rows: r, rows, slice_rows: each, steps: ceilDiv(params.ow, DEPTH) },
      workgroups: [...tiles, slices],
    });
    return { passes: [main, ...join] };
  },
};
