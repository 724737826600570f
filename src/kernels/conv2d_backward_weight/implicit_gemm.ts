import { ceilDiv, operand, pass, result, type Variant } from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { conv2d_backward_weight_implicit_gemm } from "../../shaders.generated.js";
import type { Conv2dBackwardWeightAttrs } from "./op.js";
import { backwardWeightParams } from "./problem.js";
import { joinSlices, slicesOf } from "./slices.js";

const TILE = 64;
/** Pixels a step; slices are whole steps. */
const STEP = 16;
/** Workgroups that fill a large GPU. */
const WORKGROUPS = 512;

/** 64 x 64 tiles of the gradient in workgroup memory, the pixels cut into slices: for real GPUs. */
export const implicitGemm: Variant<Conv2dBackwardWeightAttrs> = {
  name: "implicit_gemm",
  features: [],
  accepts: () => true,
  suits: (_, { software }) => !software,
  plan: (p) => {
    const [x, dy, dw] = [operand(p, 0), operand(p, 1), result(p)];
    const [r = 0, s = 0, cIn = 0, cOut = 0] = dw.shape;
    const rows = r * s * cIn;
    const pixels = sizeOf(dy.shape) / cOut;
    const tiles = [ceilDiv(rows, TILE), ceilDiv(cOut, TILE)] as const;
    const { slices, each: steps } = slicesOf(ceilDiv(pixels, STEP), tiles[0] * tiles[1], WORKGROUPS);
    const { partial, join } = joinSlices(dw, slices);
    const { stride, reluDy = false } = p.attrs;
    const params = { ...backwardWeightParams(p), stride, kernel_w: s, relu_dy: reluDy ? 1 : 0 };
    const main = pass(conv2d_backward_weight_implicit_gemm, {
      bind: { x, dy, dw: partial },
      params: { ...params, rows, pixels, slice: steps * STEP, steps },
      workgroups: [...tiles, slices],
    });
    return { passes: [main, ...join] };
  },
};
