import { operand, pass, scratch, type Variant } from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { transpose_last } from "../../shaders.generated.js";
import {
  acceptsSubgroupMatrix,
  MATRIX_FEATURES,
  subgroupMatrixPass,
  suitsSubgroupMatrix,
} from "../conv2d/subgroup_matrix.js";
import { threads, typeOf } from "../views.js";
import type { ConvTranspose2dAttrs } from "./op.js";
import { isUpsampling } from "./problem.js";

/** The decoder's up-sampling on matrix units, as four convolutions. */
export const subgroupMatrix: Variant<ConvTranspose2dAttrs> = {
  name: "subgroup_matrix",
  features: MATRIX_FEATURES,
  f16: true,
  accepts: (p, capabilities) => isUpsampling(p) && acceptsSubgroupMatrix(p, capabilities),
  suits: suitsSubgroupMatrix,
  plan(p, capabilities) {
    const w = operand(p, 1);
    const [, , cOut = 0, cIn = 0] = w.shape;
    const SIZE = sizeOf(w.shape);
    const packed = scratch("weight [R,S,C_in,C_out]", SIZE, w.dtype);
    const transpose = pass(transpose_last, {
      bind: { x: w, y: packed },
      types: { T: typeOf(w) },
      overrides: { ROWS: cOut, COLUMNS: cIn, REVERSE: 0, SIZE },
      workgroups: threads(SIZE),
    });
    const form = { kernel: [2, 2], stride: 1, pad: 1, upsample: 2 } as const;
    return { prepare: [transpose], passes: [subgroupMatrixPass(p, packed, form, capabilities)] };
  },
};
