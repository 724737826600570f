import type { Variant } from "../../graph/op.js";
import { acceptsPairs, planWinogradPairs, suitsPairs } from "../conv2d/winograd_pairs.js";
import type { ConvTranspose2dAttrs } from "./op.js";
import { isUpsampling } from "./problem.js";

/** The decoder's up-sampling, and the input gradient of the encoder's convolutions, by Winograd's F(4x4, 2x2) a phase. */
export const winogradPairs: Variant<ConvTranspose2dAttrs> = {
  name: "winograd_pairs",
  features: ["subgroups"],
  f16: true,
  accepts: (p, capabilities) => isUpsampling(p) && acceptsPairs(p, capabilities),
  suits: (p, capabilities) => suitsPairs(p, capabilities, { transposed: true }),
  plan: (p, { subgroupSize }) => planWinogradPairs(p, subgroupSize, { transposed: true }),
};
