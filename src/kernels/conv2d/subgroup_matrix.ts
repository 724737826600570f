/** Convolutions on a GPU's matrix units: f16 in, f32 sums. Chosen only on devices that were opened for it. */
import {
  type Capabilities,
  ceilDiv,
  type MatrixUnits,
  NONE,
  type Operand,
  operand,
  type Pass,
  type Problem,
  pass,
  result,
  type Variant,
} from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { conv2d_subgroup_matrix } from "../../shaders.generated.js";
import type { ActivationAttrs } from "../activation.js";
import { isVec4, typeOf, viewParams } from "../views.js";
import { epilogueFusion, fusesVec4, gateOf, VEC4 } from "./fused.js";
import type { Conv2dAttrs } from "./op.js";

/** What the kernel asks of a device; WebGPU's types do not know the last yet. */
export const MATRIX_FEATURES = [
  "shader-f16",
  "subgroups",
  "chromium-experimental-subgroup-matrix",
] as readonly string[] as readonly GPUFeatureName[];

/** A subgroup owns 32 x 32 sums, or 64 x 32 where workgroup memory and the problem are large enough. */
const SUBGROUP_N = 32;
const STEP_K = 32;
const PADDING = 8;

export interface MatrixTile {
  readonly consts: Readonly<Record<(typeof TILE_CONSTS)[number], number>>;
  readonly rows: number;
  readonly columns: number;
  readonly threads: number;
  /** Of workgroup memory. */
  readonly bytes: number;
}

const TILE_CONSTS = [
  "LANES",
  "SUBGROUPS_M",
  "SUBGROUPS_N",
  "FRAGMENTS_M",
  "FRAGMENTS_N",
  "M_FRAGMENT",
  "N_FRAGMENT",
  "K_FRAGMENT",
] as const;

/** @param subgroups across the tile's rows and columns @param subgroupRows rows of a subgroup */
export function matrixTile(
  { m, n, k, lanes }: MatrixUnits,
  [SUBGROUPS_M, SUBGROUPS_N]: readonly [number, number],
  subgroupRows: number,
): MatrixTile {
  const [rows, columns] = [SUBGROUPS_M * subgroupRows, SUBGROUPS_N * SUBGROUP_N];
  const fragments = { FRAGMENTS_M: subgroupRows / m, FRAGMENTS_N: SUBGROUP_N / n };
  const consts = { LANES: lanes, SUBGROUPS_M, SUBGROUPS_N, ...fragments, M_FRAGMENT: m, N_FRAGMENT: n, K_FRAGMENT: k };
  const halves = rows * (STEP_K + PADDING) + STEP_K * (columns + PADDING);
  const bytes = 2 * halves + 4 * SUBGROUPS_M * SUBGROUPS_N * m * n;
  return { consts, rows, columns, threads: SUBGROUPS_M * SUBGROUPS_N * lanes, bytes };
}

/** The small tile, which fits WebGPU's guaranteed limits on devices of 32 lanes, and the large one. */
export const matrixTiles = (units: MatrixUnits): readonly [small: MatrixTile, large: MatrixTile] => [
  matrixTile(units, [2, 2], 32),
  matrixTile(units, [2, 4], 64),
];

const fits = ({ threads, bytes }: MatrixTile, limits: GPUSupportedLimits): boolean =>
  bytes <= limits.maxComputeWorkgroupStorageSize &&
  threads <= limits.maxComputeInvocationsPerWorkgroup &&
  threads <= limits.maxComputeWorkgroupSizeX;

/** Workgroups below which the large tile would leave a large GPU idle. */
const ENOUGH_WORKGROUPS = 128;

function tileFor({ matrixUnits, limits }: Capabilities, m: number, n: number, phases: number): MatrixTile {
  if (!matrixUnits) throw new Error("conv2d: subgroup_matrix was planned for a device without matrix units");
  const [small, large] = matrixTiles(matrixUnits);
  const workgroups = ceilDiv(m, large.rows) * ceilDiv(n, large.columns) * phases;
  return fits(large, limits) && workgroups >= ENOUGH_WORKGROUPS ? large : small;
}

/** What a convolution and a transposed one differ in. */
export interface MatrixConvolution {
  /** Of one phase. */
  readonly kernel: readonly [h: number, w: number];
  readonly stride: number;
  readonly pad: number;
  /** 2: a transposed convolution of kernel 4 and stride 2, in four phases of 2x2. */
  readonly upsample: 1 | 2;
}

/**
 * @param w [R, S, C_in, C_out] as f16
 * @param forced the tile; without it one is chosen by the problem's size
 */
export function subgroupMatrixPass(
  problem: Problem<ActivationAttrs & { readonly reluInput?: boolean }>,
  w: Operand,
  { kernel, stride, pad, upsample }: MatrixConvolution,
  capabilities: Capabilities,
  forced?: MatrixTile,
): Pass {
  const [x, y] = [operand(problem, 0), result(problem)];
  const [, h = 0, width = 0, cIn = 0] = x.shape;
  const [, oh = 0, ow = 0, cOut = 0] = y.shape;
  const phases = upsample ** 2;
  const m = sizeOf(y.shape) / cOut / phases;
  const tile = forced ?? tileFor(capabilities, m, cOut, phases);
  const epilogue = epilogueFusion(problem, 4);
  return pass(conv2d_subgroup_matrix, {
    bind: { x, w, bias: problem.inputs[2] ?? NONE, y, ...epilogue.bind },
    overrides: { RELU_INPUT: problem.attrs.reluInput ? 1 : 0, ...epilogue.overrides },
    consts: { ...VEC4.consts, ...tile.consts },
    types: { ...VEC4.types, Y4: typeOf(y, 4), ...epilogue.types },
    params: {
      h,
      w: width,
      c_in: cIn,
      ...viewParams("x", x),
      grid_h: oh / upsample,
      grid_w: ow / upsample,
      c_out: cOut,
      ...viewParams("y", y),
      kernel_h: kernel[0],
      kernel_w: kernel[1],
      stride,
      pad,
      upsample,
      m,
      has_bias: problem.inputs[2] ? 1 : 0,
      ...epilogue.params,
    },
    workgroups: [ceilDiv(m, tile.rows), ceilDiv(cOut, tile.columns), phases],
  });
}

/** Without a gate: its products need more bits than the units take. */
export function acceptsSubgroupMatrix(problem: Problem<unknown>, { matrixUnits, limits }: Capabilities): boolean {
  const [x, w, y] = [operand(problem, 0), operand(problem, 1), result(problem)];
  const halves = x.dtype === "f16" && w.dtype === "f16" && !gateOf(problem);
  const vectors = isVec4(x) && isVec4(y) && fusesVec4(problem);
  return matrixUnits !== undefined && halves && vectors && fits(matrixTiles(matrixUnits)[0], limits);
}

/** Maps of few pixels would leave most of a tile's rows empty: reading their weights is all the work there. */
export const suitsSubgroupMatrix = (problem: Problem<unknown>): boolean => {
  const { shape } = result(problem);
  return sizeOf(shape) / (shape.at(-1) ?? 1) >= 256;
};

export const subgroupMatrix: Variant<Conv2dAttrs> = {
  name: "subgroup_matrix",
  features: MATRIX_FEATURES,
  f16: true,
  accepts: acceptsSubgroupMatrix,
  suits: suitsSubgroupMatrix,
  plan(p, capabilities) {
    const [r = 0, s = 0] = operand(p, 1).shape;
    const form = { kernel: [r, s], stride: p.attrs.stride, pad: p.attrs.padding, upsample: 1 } as const;
    return { passes: [subgroupMatrixPass(p, operand(p, 1), form, capabilities)] };
  },
};
