import { ceilDiv, NONE, operand, pass, result, scratch, type Variant } from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { conv_transpose2d_implicit_gemm, transpose_last } from "../../shaders.generated.js";
import { epilogueFusion, fusesVec4, VEC4 } from "../conv2d/fused.js";
import { implicitGemmPass } from "../conv2d/implicit_gemm.js";
import { isVec4, threads, typeOf } from "../views.js";
import type { ConvTranspose2dAttrs } from "./op.js";
import { convTranspose2dOverrides, isConvolution, isUpsampling } from "./problem.js";

/** Stride 1 as a convolution, the decoder's up-sampling as four, on 64 x 64 tiles in workgroup memory: for real GPUs. */
export const implicitGemm: Variant<ConvTranspose2dAttrs> = {
  name: "implicit_gemm",
  features: [],
  f16: true,
  accepts: (p) => (isUpsampling(p) || isConvolution(p)) && isVec4(operand(p, 0)) && isVec4(result(p)) && fusesVec4(p),
  suits: (_, { software }) => !software,
  plan: (p) => {
    const [x, w] = [operand(p, 0), operand(p, 1)];
    const overrides = convTranspose2dOverrides(p);
    const SIZE = sizeOf(w.shape);
    const packed = scratch("weight [R,S,C_in,C_out]", SIZE, w.dtype);
    const transpose = pass(transpose_last, {
      bind: { x: w, y: packed },
      types: { T: typeOf(w) },
      overrides: { ROWS: overrides.C_OUT, COLUMNS: overrides.C_IN, REVERSE: isUpsampling(p) ? 0 : 1, SIZE },
      workgroups: threads(SIZE),
    });
    if (!isUpsampling(p)) {
      const pad = (w.shape[0] ?? 0) - 1 - p.attrs.padding;
      return { prepare: [transpose], passes: [implicitGemmPass(p, packed, pad)] };
    }
    const M = sizeOf(x.shape) / overrides.C_IN;
    const epilogue = epilogueFusion(p, 4);
    const bind = { x, w: packed, bias: p.inputs[2] ?? NONE, y: result(p), ...epilogue.bind };
    const workgroups = [ceilDiv(M, 64), ceilDiv(overrides.C_OUT, 64), 4] as const;
    const [X4, W4, Y4] = [typeOf(x, 4), typeOf(w, 4), typeOf(bind.y, 4)];
    const types = { ...VEC4.types, X4, W4, Y4, A4: X4, B4: W4, ...epilogue.types };
    return {
      prepare: [transpose],
      passes: [
        pass(conv_transpose2d_implicit_gemm, {
          consts: VEC4.consts,
          types,
          bind,
          overrides: { ...overrides, M, ...epilogue.overrides },
          params: epilogue.params,
          workgroups,
        }),
      ],
    };
  },
};
