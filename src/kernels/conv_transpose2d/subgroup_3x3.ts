import type { Variant } from "../../graph/op.js";
import { is3x3, plan3x3, suits3x3 } from "../conv2d/subgroup_3x3.js";
import { isSubgroupSize } from "../conv2d/tiles.js";
import type { ConvTranspose2dAttrs } from "./op.js";

/** 3x3 of stride 1, the input gradient of such a convolution: the same convolution with its taps reversed. */
export const subgroup3x3: Variant<ConvTranspose2dAttrs> = {
  name: "subgroup_3x3",
  features: ["subgroups"],
  f16: true,
  accepts: (p, { subgroupSize }) => is3x3(p) && isSubgroupSize(subgroupSize),
  suits: suits3x3,
  plan: (p, { subgroupSize }) => plan3x3(p, subgroupSize, { transposed: true }),
};
