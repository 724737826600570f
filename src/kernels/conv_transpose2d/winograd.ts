import type { Variant } from "../../graph/op.js";
import { acceptsWinograd, planWinograd, suitsWinograd } from "../conv2d/winograd.js";
import type { ConvTranspose2dAttrs } from "./op.js";

/** 3x3 of stride 1, the input gradient of such a convolution, by Winograd's F(4x4, 3x3). */
export const winograd: Variant<ConvTranspose2dAttrs> = {
  name: "winograd",
  features: ["subgroups"],
  f16: true,
  accepts: acceptsWinograd,
  suits: suitsWinograd,
  plan: (p, { subgroupSize }) => planWinograd(p, subgroupSize, { transposed: true }),
};
