import { ceilDiv, NONE, operand, pass, result, scratch, type Variant } from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { conv_transpose2d_implicit_gemm, transpose_last } from "../../shaders.generated.js";
import { epilogueFusion, fusesVec4, VEC4 } from "../conv2d/fused.js";
import { implicitGemmPass } from "../conv2d/implicit_gemm.js";
import { isVec4, threads } from "../views.js";
import type { ConvTranspose2dAttrs } from "./op.js";
import { convTranspose2dOverrides, isConvolution, isUpsampling } from "./problem.js";

/** Stride 1 as a convolution, the decoder's up-sampling as four, on 64 x 64 tiles in workgroup memory: for real GPUs. */
export const implicitGemm: Variant<ConvTranspose2dAttrs> = {
  name: "implicit_gemm",
  features: [],
  accepts: (p) => (isUpsampling(p) || isConvolution(p)) && isVec4(operand(p, 0)) && isVec4(result(p)) && fusesVec4(p),
  suits: (_, { software }) => !software,
  plan: (p) => {
    const [x, w] = [operand(p, 0), operand(p, 1)];
    const overrides = convTranspose2dOverrides(p);
    const SIZE = sizeOf(w.shape);
    const packed = scratch("weight [R,S,C_in,C_out]", SIZE);
    const transpose = pass(transpose_last, {
      bind: { x: w, y: packed },
      overrides: { ROWS: overrides.C_OUT, COLUMNS: overrides.C_IN, REVERSE: isUpsampling(p) ? 0 : 1, SIZE },
      workgroups: threads(SIZE),
    });
    if (!isUpsampling(p)) {
      const pad = (w.shape[0] ?? 0) - 1 - p.attrs.padding;
      return { prepare: [transpose], passes: [implicitGemmPass(p, packed, pad)] };
    }
    const M = sizeOf(x.shape) / overrides.C_IN;
    const epilogue = epilogueFusion(p);
    const bind = { x, w: packed, bias: p.inputs[2] ?? NONE, y: result(p), ...epilogue.bind };
    const workgroups = [ceilDiv(M, 64), ceilDiv(overrides.C_OUT, 64), 4] as const;
    return {
      prepare: [transpose],
      passes: [
        pass(conv_transpose2d_implicit_gemm, {
          ...VEC4,
          bind,
          overrides: { ...overrides, M, ...epilogue.overrides },
          params: epilogue.params,
          workgroups,
        }),
      ],
    };
  },
};
