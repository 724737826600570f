/**
 * Winograd's F(4x4, 3x3) and F(2x2, 3x3) for real GPUs: 3x3 convolutions of stride 1 as 36 or 16 matrix products on
 * transformed tiles of 4x4 or 2x2 outputs, with 1/4 or 4/9 of the multiplications. Transformed inputs and outputs take
 * 9/4 or 4 times what the maps do, so tiles pass in bands that stay in a large GPU's cache and bound the scratch.
 */
import {
  type Capabilities,
  ceilDiv,
  type Indirect,
  NONE,
  type NodePlan,
  type Operand,
  operand,
  type Pass,
  pass,
  result,
  type Scratch,
  scratch,
  type TensorView,
} from "../../graph/op.js";
import type { Shape } from "../../graph/tensor.js";
import {
  matmul_tiled,
  winograd_f2_input,
  winograd_f2_output,
  winograd_f2_weight,
  winograd_f4_input,
  winograd_f4_output,
  winograd_f4_weight,
} from "../../shaders.generated.js";
import { chooseTile, type Gemm, type GemmTile, passTime } from "../gemm_tiles.js";
import type { GpuProfile } from "../gpu_profile.js";
import { isVec4, threads, typeOf, viewParams } from "../views.js";
import type { ConvolutionProblem, Window } from "./as_gemm.js";
import { epilogueFusion, fusesVec4, gateFusion, gateOf, VEC4 } from "./fused.js";
import { neededTiles } from "./needed_tiles.js";
import { type Band, type Tiling, tilingOf } from "./tiling.js";
import type { InputOptions } from "./winograd.js";

export interface WinogradForm {
  readonly name: "winograd_f4" | "winograd_f2";
  /** Outputs of a tile along an axis. */
  readonly tile: number;
  /** Products of a tile. */
  readonly points: number;
  readonly shaders: {
    readonly input: typeof winograd_f4_input | typeof winograd_f2_input;
    readonly output: typeof winograd_f4_output | typeof winograd_f2_output;
    readonly weight: typeof winograd_f4_weight | typeof winograd_f2_weight;
  };
}

export const F4: WinogradForm = {
  name: "winograd_f4",
  tile: 4,
  points: 36,
  shaders: { input: winograd_f4_input, output: winograd_f4_output, weight: winograd_f4_weight },
};
export const F2: WinogradForm = {
  name: "winograd_f2",
  tile: 2,
  points: 16,
  shaders: { input: winograd_f2_input, output: winograd_f2_output, weight: winograd_f2_weight },
};
export const FORMS: readonly WinogradForm[] = [F4, F2];

/** Scratch of a band's transformed inputs and outputs. */
export const BAND_BYTES = 24 * 2 ** 20;

/** @param channels that a tile holds `points` factors of, in all */
export const tileGrid = (
  map: Shape,
  channels: number,
  { tile, points }: WinogradForm,
  bandBytes = BAND_BYTES,
): Tiling => tilingOf(map, { tile, factors: points * channels, bandBytes, whole: 64 });

export function inputPass(
  form: WinogradForm,
  x: TensorView,
  v: Scratch,
  { high, wide }: Tiling,
  band: Band,
  { relu = false, gate = null, needed }: InputOptions = {},
): Pass {
  const gating = gateFusion(gate);
  const [, h = 0, w = 0, cIn = 0] = x.shape;
  return pass(form.shaders.input, {
    consts: VEC4.consts,
    types: { ...VEC4.types, X: typeOf(x, 4) },
    bind: { x, v, ...gating.bind, order: NONE, ...needed?.order.bind },
    overrides: { ...gating.overrides, ...needed?.order.overrides },
    params: {
      h,
      w,
      c_in: cIn,
      ...viewParams("x", x),
      relu_input: relu ? 1 : 0,
      tiles_high: high,
      tiles_wide: wide,
      ...band,
      ...gating.params,
    },
    workgroups: threads((band.tiles * cIn) / 4),
    indirect: needed?.workgroups("input", band.first),
  });
}

function productPass(
  bind: { x: Operand; w: Operand; y: Operand },
  gemm: Gemm,
  tile: GemmTile,
  indirect: Indirect | undefined,
): Pass {
  const { m, n, k, batches } = gemm;
  return pass(matmul_tiled, {
    bind,
    consts: tile.consts,
    overrides: { TAIL: (k / 4) % tile.consts.STEP_K4 === 0 ? 0 : 1 },
    params: { m, n4: n / 4, k4: k / 4 },
    workgroups: [ceilDiv(m, tile.consts.TILE_M), ceilDiv(n, tile.consts.TILE_N), batches],
    indirect,
  });
}

export function planWinogradGpu(
  problem: ConvolutionProblem,
  window: Window,
  form: WinogradForm,
  bandBytes = BAND_BYTES,
  gpu?: GpuProfile,
): NodePlan {
  const [x, w, y] = [operand(problem, 0), operand(problem, 1), result(problem)];
  const { points, shaders } = form;
  const [, oh = 0, ow = 0, cOut = 0] = y.shape;
  const cIn = x.shape[3] ?? 0;
  const grid = tileGrid(y.shape, cIn + cOut, form, bandBytes);
  const u = scratch(`weight in the form of ${form.name}`, points * cIn * cOut);
  const size = (cIn * cOut) / 4;
  const prepare = pass(shaders.weight, {
    bind: { w, u },
    types: { W: typeOf(w) },
    params: { c_in: cIn, c_out: cOut, flipped: window.transposed, size },
    workgroups: threads(size),
  });
  const v = scratch("input in Winograd's form", points * grid.most * cIn);
  const m = scratch("output in Winograd's form", points * grid.most * cOut);
  const bias = problem.inputs[2] ?? NONE;
  const epilogue = epilogueFusion(problem, 4);
  // Every band's products have the tile that is chosen for a whole one, so that their rows can be counted.
  const gemm = { m: grid.most, n: cOut, k: cIn, batches: points };
  const { tile } = chooseTile(gemm, 1, gpu);
  const needed = neededTiles(problem, {
    tile: form.tile,
    band: grid.most,
    inputThreads: cIn / 4,
    outputThreads: cOut / 4,
    product: [tile.consts.TILE_M, ceilDiv(cOut, tile.consts.TILE_N), points],
    lanes: 4,
  });
  const passes = grid.bands.flatMap((band) => [
    inputPass(form, x, v, grid, band, { relu: problem.attrs.reluInput, gate: gateOf(problem), needed }),
    productPass({ x: v, w: u, y: m }, { ...gemm, m: band.tiles }, tile, needed.workgroups("product", band.first)),
    pass(shaders.output, {
      consts: VEC4.consts,
      types: { ...VEC4.types, Y: typeOf(y, 4), ...epilogue.types },
      bind: { m, bias, y, ...epilogue.bind, ...needed.order.bind },
      overrides: { ...epilogue.overrides, ...needed.order.overrides },
      params: {
        oh,
        ow,
        n4: cOut / 4,
        ...viewParams("y", y),
        has_bias: problem.inputs[2] ? 1 : 0,
        tiles_high: grid.high,
        tiles_wide: grid.wide,
        ...band,
        ...epilogue.params,
      },
      workgroups: threads((band.tiles * cOut) / 4),
      indirect: needed.workgroups("output", band.first),
    }),
  ]);
  return { prepare: [prepare], passes: [...needed.before, ...passes, ...needed.after] };
}

/** 3x3 of stride 1 and padding 1, channels in vec4s, those of what is fused too, and transformed weights that fit a binding. */
export function acceptsWinogradGpu(
  problem: ConvolutionProblem,
  { kernel, stride, pad, transposed }: Window,
  { points }: WinogradForm,
  { limits }: Capabilities,
): boolean {
  const [x, y] = [operand(problem, 0), result(problem)];
  const is3x3 = kernel[0] === 3 && kernel[1] === 3 && stride === 1 && pad === 1 && transposed !== 2;
  const bytes = points * 4 * (x.shape[3] ?? 0) * (y.shape[3] ?? 0);
  return is3x3 && isVec4(x) && isVec4(y) && fusesVec4(problem) && bytes <= limits.maxStorageBufferBindingSize;
}

/** Per band the transforms, which move what they read and write, around the products. In microseconds. */
export function winogradTime(problem: ConvolutionProblem, form: WinogradForm, gpu?: GpuProfile): number {
  const [x, y] = [operand(problem, 0), result(problem)];
  const [cIn = 0, cOut = 0] = [x.shape[3], y.shape[3]];
  const { bands } = tileGrid(y.shape, cIn + cOut, form);
  const { tile, points } = form;
  return bands.reduce((time, { tiles }) => {
    const transform = (channels: number): number => passTime(4 * tiles * channels * (points + tile ** 2), gpu);
    const { time: product } = chooseTile({ m: tiles, n: cOut, k: cIn, batches: points }, 1, gpu);
    return time + transform(cIn) + product + transform(cOut);
  }, 0);
}
