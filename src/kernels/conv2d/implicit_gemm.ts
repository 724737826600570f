/** Convolution as a tiled product whose left matrix is never built, for real GPUs. */
import {
  type Capabilities,
  ceilDiv,
  grid1d,
  NONE,
  type NodePlan,
  operand,
  pass,
  result,
  scratch,
} from "../../graph/op.js";
import { conv2d_implicit_gemm } from "../../shaders.generated.js";
import { cut, type GemmTile, isRaggedTile, sliced } from "../gemm_tiles.js";
import type { GpuProfile } from "../gpu_profile.js";
import { isVec4, typeOf, upTo4, viewParams } from "../views.js";
import {
  asGemm,
  type ConvolutionProblem,
  gatedInput,
  gatesVec4,
  joinPass,
  type Window,
  weightMatrix,
  windowParams,
} from "./as_gemm.js";
import { epilogueFusion, fusesVec4, NO_EPILOGUE } from "./fused.js";

/** Whether outputs, and what their epilogue reads, lie in vec4s. */
const storesVec4 = (problem: ConvolutionProblem): boolean => isVec4(result(problem)) && fusesVec4(problem);

/**
 * One pass where K is whole and the output lies in vec4s; else sums in scratch, [phases, slices, M, N], and their join.
 * @param asked slices of K; the tile's best where it is not given
 */
export function planImplicitGemm(
  problem: ConvolutionProblem,
  window: Window,
  tile: GemmTile,
  asked?: number,
  gpu?: GpuProfile,
): NodePlan {
  const [x, y] = [operand(problem, 0), result(problem)];
  const gemm = asGemm(problem, window);
  const step = 4 * tile.consts.STEP_K4;
  const { slices, each } = cut(gemm.k, asked ?? sliced(gemm, tile, undefined, gpu).slices, step);
  const joined = slices > 1 || !storesVec4(problem);
  const target = joined ? scratch("sums of slices", gemm.batches * slices * gemm.m * gemm.n) : y;
  const { matrix, prepare } = weightMatrix(problem, window);
  const hasBias = !joined && problem.inputs[2];
  const [input, epilogue] = [gatedInput(problem), joined ? NO_EPILOGUE : epilogueFusion(problem, 4)];
  const tilesN = ceilDiv(gemm.n, tile.consts.TILE_N);
  const [across, further] = grid1d(ceilDiv(gemm.m, tile.consts.TILE_M));
  const main = pass(conv2d_implicit_gemm, {
    bind: { x, w: matrix, bias: hasBias || NONE, y: target, ...input.bind, ...epilogue.bind },
    consts: { ...tile.consts, ...input.consts },
    types: {
      ...input.types,
      W: typeOf(operand(problem, 1), 4),
      Y: joined ? "vec4<f32>" : typeOf(y, 4),
      ...epilogue.types,
    },
    overrides: {
      ALIGNED: (upTo4(operand(problem, 0).shape[3] ?? 0) / 4) % tile.consts.STEP_K4 === 0 ? 1 : 0,
      ...input.overrides,
      ...epilogue.overrides,
    },
    params: {
      ...windowParams(problem, window),
      ...viewParams("y", y),
      tiles_n: tilesN,
      slices,
      slice_k4: each / 4,
      partial: joined ? 1 : 0,
      has_bias: hasBias ? 1 : 0,
      ...input.params,
      ...epilogue.params,
    },
    workgroups: [across, tilesN * further, gemm.batches * slices],
  });
  return { prepare, passes: joined ? [main, joinPass(problem, window, target, slices)] : [main] };
}

/** Inputs in vec4s, but for one tile, and gates; and scratch that fits a binding where the output is not stored in vec4s. */
export function acceptsImplicitGemm(
  problem: ConvolutionProblem,
  window: Window,
  tile: GemmTile,
  { limits }: Capabilities,
): boolean {
  const { m, n, batches } = asGemm(problem, window);
  const stores = storesVec4(problem) || 4 * m * n * batches <= limits.maxStorageBufferBindingSize;
  return stores && gatesVec4(problem) && (isVec4(operand(problem, 0)) || isRaggedTile(tile));
}
