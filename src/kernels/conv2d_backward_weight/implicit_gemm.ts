/** The weight gradient as a tiled product whose left matrix is never built, its pixels cut into slices: for real GPUs. */
import { ceilDiv, type NodePlan, operand, type Problem, pass, result } from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { conv2d_backward_weight_implicit_gemm } from "../../shaders.generated.js";
import { cut, type Gemm, type GemmTile, isRaggedTile, sliced } from "../gemm_tiles.js";
import type { GpuProfile } from "../gpu_profile.js";
import { isVec4, upTo4 } from "../views.js";
import type { Conv2dBackwardWeightAttrs } from "./op.js";
import { backwardWeightParams } from "./problem.js";
import { joinSlices } from "./slices.js";

/** M = rows of dw, N = output channels, K = pixels. */
export function asGemm(problem: Problem<Conv2dBackwardWeightAttrs>): Gemm {
  const [dy, dw] = [operand(problem, 1), result(problem)];
  const [r = 0, s = 0, cIn = 0, cOut = 0] = dw.shape;
  return { m: r * s * upTo4(cIn), n: upTo4(cOut), k: sizeOf(dy.shape) / cOut, batches: 1 };
}

const inVec4s = (problem: Problem<Conv2dBackwardWeightAttrs>): boolean =>
  isVec4(operand(problem, 0)) && isVec4(operand(problem, 1));

/** Inputs in vec4s, but for one tile. */
export const acceptsImplicitGemm = (problem: Problem<Conv2dBackwardWeightAttrs>, tile: GemmTile): boolean =>
  inVec4s(problem) || isRaggedTile(tile);

/** @param asked slices of the pixels; the tile's best where it is not given */
export function planImplicitGemm(
  problem: Problem<Conv2dBackwardWeightAttrs>,
  tile: GemmTile,
  asked?: number,
  gpu?: GpuProfile,
): NodePlan {
  const [x, dy, dw] = [operand(problem, 0), operand(problem, 1), result(problem)];
  const [r = 0, s = 0, cIn = 0, cOut = 0] = dw.shape;
  const gemm = asGemm(problem);
  const { slices, each } = cut(gemm.k, asked ?? sliced(gemm, tile, undefined, gpu).slices, 4 * tile.consts.STEP_K4);
  const { partial, join } = joinSlices(dw, slices, { cIn: upTo4(cIn), cOut: upTo4(cOut) });
  const [lanes, type] = inVec4s(problem) ? [4, "vec4<f32>"] : [1, "f32"];
  const main = pass(conv2d_backward_weight_implicit_gemm, {
    bind: { x, dy, dw: partial },
    consts: { ...tile.consts, X_LANES: lanes, D_LANES: lanes },
    types: { X: type, D: type },
    overrides: { TAIL: gemm.k % (4 * tile.consts.STEP_K4) === 0 ? 0 : 1 },
    params: {
      ...backwardWeightParams(problem),
      c4: upTo4(cIn) / 4,
      n4: upTo4(cOut) / 4,
      taps: r * s,
      kernel_w: s,
      stride: problem.attrs.stride,
      relu_input: 0,
      relu_dy: problem.attrs.reluDy ? 1 : 0,
      pixels: gemm.k,
      slice: each,
    },
    workgroups: [ceilDiv(gemm.m, tile.consts.TILE_M), ceilDiv(gemm.n, tile.consts.TILE_N), slices],
  });
  return { passes: [main, ...join] };
}
