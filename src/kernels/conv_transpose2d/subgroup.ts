import { result, type Variant } from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { isSubgroupSize, packForSubgroup, subgroupPass } from "../conv2d/subgroup.js";
import type { ConvTranspose2dAttrs } from "./op.js";
import { isUpsampling } from "./problem.js";

/** The decoder's up-sampling as four parity phases on tiles held by one subgroup. For software adapters. */
export const subgroup: Variant<ConvTranspose2dAttrs> = {
  name: "subgroup",
  features: ["subgroups"],
  accepts: (p, { subgroupSize }) =>
    isUpsampling(p) && isSubgroupSize(subgroupSize) && sizeOf(result(p).shape) < 2 ** 31,
  suits: (_, { software }) => software,
  plan: (p, { subgroupSize }) => {
    const tiling = packForSubgroup(p, true);
    const main = subgroupPass(p, tiling, subgroupSize, { size: [2, 2], stride: 1, pad: 1, upsample: 2 });
    return { prepare: [tiling.weight.prepare], passes: [main] };
  },
};
