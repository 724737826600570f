/** The variants of a convolution in order of preference: conv2d and conv2d_compose differ in their epilogues alone. */
import type { Variant } from "../../graph/op.js";
import { direct } from "./direct.js";
import { gpuVariants } from "./gpu.js";
import type { Conv2dAttrs } from "./op.js";
import { patchVariant } from "./patch.js";
import { planesVariant } from "./planes.js";
import { windowOf } from "./problem.js";
import { subgroup } from "./subgroup.js";
import { subgroup3x3 } from "./subgroup_3x3.js";
import { subgroupMatrix } from "./subgroup_matrix.js";
import { winograd } from "./winograd.js";
import { winogradPairs } from "./winograd_pairs.js";

export const conv2dVariants: readonly Variant<Conv2dAttrs>[] = [
  subgroupMatrix,
  winograd,
  winogradPairs,
  subgroup3x3,
  planesVariant(windowOf),
  subgroup,
  ...gpuVariants(windowOf),
  patchVariant(windowOf),
  direct,
];
