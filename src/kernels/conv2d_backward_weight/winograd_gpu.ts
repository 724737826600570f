/**
 * The weight gradient of a 3x3 convolution of stride 1 through the adjoints of Winograd's F(4x4, 3x3), for real GPUs: 36
 * products of transformed inputs and gradients, summed over the tiles, which pass in bands and are cut into slices.
 */
import { ceilDiv, type NodePlan, operand, type Problem, pass, result, scratch } from "../../graph/op.js";
import {
  matmul_tiled_transposed,
  winograd_f4_output_backward,
  winograd_f4_weight_backward,
} from "../../shaders.generated.js";
import type { Tiling } from "../conv2d/tiling.js";
import { BAND_BYTES, F4, inputPass, tileGrid } from "../conv2d/winograd_gpu.js";
import { chooseTile, cut, type GemmChoice, passTime } from "../gemm_tiles.js";
import type { GpuProfile } from "../gpu_profile.js";
import { isVec4, threads, viewParams } from "../views.js";
import type { Conv2dBackwardWeightAttrs } from "./op.js";

type WeightProblem = Problem<Conv2dBackwardWeightAttrs>;

/** The products of a band, of the longest: all bands are cut alike, for they add to the same sums. */
const productOf = (cIn: number, cOut: number, { most }: Tiling, gpu?: GpuProfile): GemmChoice =>
  chooseTile({ m: cIn, n: cOut, k: most, batches: F4.points }, undefined, gpu);

/** @param asked slices of a band's tiles; the best where it is not given */
export function planWinogradGpu(
  problem: WeightProblem,
  bandBytes = BAND_BYTES,
  asked?: number,
  gpu?: GpuProfile,
): NodePlan {
  const [x, dy, dw] = [operand(problem, 0), operand(problem, 1), result(problem)];
  const [, oh = 0, ow = 0, cOut = 0] = dy.shape;
  const cIn = x.shape[3] ?? 0;
  const grid = tileGrid(dy.shape, cIn + cOut, F4, bandBytes);
  const { tile, slices: best } = productOf(cIn, cOut, grid, gpu);
  const { slices, each } = cut(grid.most, asked ?? best, 4 * tile.consts.STEP_K4);
  const v = scratch("input in Winograd's form", F4.points * grid.most * cIn);
  const dm = scratch("output gradient in Winograd's form", F4.points * grid.most * cOut);
  const du = scratch("weight gradient in Winograd's form", F4.points * slices * cIn * cOut);
  const passes = grid.bands.flatMap((band, index) => [
    inputPass(F4, x, v, grid, band),
    pass(winograd_f4_output_backward, {
      bind: { dy, dm },
      params: {
        oh,
        ow,
        n4: cOut / 4,
        ...viewParams("dy", dy),
        relu_dy: problem.attrs.reluDy ? 1 : 0,
        tiles_high: grid.high,
        tiles_wide: grid.wide,
        ...band,
      },
      workgroups: threads((band.tiles * cOut) / 4),
    }),
    pass(matmul_tiled_transposed, {
      bind: { x: v, w: dm, y: du },
      consts: tile.consts,
      overrides: { TAIL: band.tiles % (4 * tile.consts.STEP_K4) === 0 ? 0 : 1 },
      params: { m4: cIn / 4, n4: cOut / 4, k: band.tiles, slices, slice_k: each, accumulate: index > 0 ? 1 : 0 },
      workgroups: [ceilDiv(cIn, tile.consts.TILE_M), ceilDiv(cOut, tile.consts.TILE_N), F4.points * slices],
    }),
  ]);
  const size = (cIn * cOut) / 4;
  const join = pass(winograd_f4_weight_backward, {
    bind: { du, dw },
    params: { size, n4: cOut / 4, slices, ...viewParams("dw", dw) },
    workgroups: threads(size),
  });
  return { passes: [...passes, join] };
}

export function acceptsWinogradGpu(problem: WeightProblem): boolean {
  const { kernel, stride, padding } = problem.attrs;
  const is3x3 = kernel.every((size) => size === 3) && stride === 1 && padding === 1;
  return is3x3 && [operand(problem, 0), operand(problem, 1), result(problem)].every(isVec4);
}

/** In microseconds. */
export function winogradTime(problem: WeightProblem, gpu?: GpuProfile): number {
  const [cIn = 0, cOut = 0] = result(problem).shape.slice(2);
  const grid = tileGrid(operand(problem, 1).shape, cIn + cOut, F4);
  const { time, slices } = productOf(cIn, cOut, grid, gpu);
  const transform = (tiles: number, channels: number): number => passTime(4 * tiles * channels * (36 + 16), gpu);
  const bands = grid.bands.map(({ tiles }) => transform(tiles, cIn) + time + transform(tiles, cOut));
  return bands.reduce((sum, band) => sum + band, 0) + passTime(4 * cIn * cOut * (36 * slices + 9), gpu);
}
