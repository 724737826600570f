import { operand, result, type Variant } from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { planSubgroup } from "../conv2d/subgroup.js";
import { isSubgroupSize } from "../conv2d/tiles.js";
import type { ConvTranspose2dAttrs } from "./op.js";
import { isConvolution, isUpsampling } from "./problem.js";

/** Stride 1 as a convolution, the decoder's up-sampling as four: tiles held by one subgroup. For software adapters. */
export const subgroup: Variant<ConvTranspose2dAttrs> = {
  name: "subgroup",
  features: ["subgroups"],
  f16: true,
  accepts: (p, { subgroupSize }) =>
    (isUpsampling(p) || isConvolution(p)) && isSubgroupSize(subgroupSize) && sizeOf(result(p).shape) < 2 ** 31,
  suits: (_, { software }) => software,
  plan: (p, { subgroupSize }) => {
    if (isUpsampling(p)) {
      return planSubgroup(p, subgroupSize, { kernel: [2, 2], stride: 1, pad: 1, transposed: { stride: 2 } });
    }
    const [r = 0] = operand(p, 1).shape;
    const pad = r - 1 - p.attrs.padding;
    return planSubgroup(p, subgroupSize, { kernel: [r, r], stride: 1, pad, transposed: { stride: 1 } });
  },
};
