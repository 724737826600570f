/**
 * Winograd's F(4x4, 3x3): a 3x3 convolution of stride 1 as 36 matrix products on transformed tiles of 4x4 outputs, a
 * quarter of the multiplications. The transformed weights take four times the memory of the weights.
 */
import {
  type Capabilities,
  ceilDiv,
  NONE,
  type NodePlan,
  type Operand,
  operand,
  type Pass,
  type Problem,
  pass,
  result,
  type Scratch,
  scratch,
  type TensorView,
  type Variant,
} from "../../graph/op.js";
import type { Shape } from "../../graph/tensor.js";
import { matmul_subgroup, winograd_input, winograd_output, winograd_weight } from "../../shaders.generated.js";
import { type ActivationAttrs, activationOverrides } from "../activation.js";
import { threads, typeOf, viewParams } from "../views.js";
import type { Conv2dAttrs } from "./op.js";
import { is3x3 } from "./subgroup_3x3.js";
import { isSubgroupSize, productTile, winogradThreshold } from "./tiles.js";

export const POINTS = 36;
const TILE = 4;

/** Scratch that a convolution's transformed tiles may take: they pass in bands. */
const BAND_BYTES = 8 * 2 ** 20;

/** A run of tiles: `first` of the image batch, `tiles` in number. */
export interface Band {
  readonly first: number;
  readonly tiles: number;
}

export interface Tiling {
  readonly high: number;
  readonly wide: number;
  readonly bands: readonly Band[];
  /** Tiles of the longest band. */
  readonly most: number;
}

/** @param channels that a tile holds 36 factors of, in all */
export function tilesOf([n = 0, h = 0, w = 0]: Shape, channels: number): Tiling {
  const [high, wide] = [ceilDiv(h, TILE), ceilDiv(w, TILE)];
  const all = n * high * wide;
  const fit = Math.max(32, Math.floor(BAND_BYTES / (POINTS * 4 * channels)));
  const most = Math.min(all, ceilDiv(ceilDiv(all, ceilDiv(all, fit)), 32) * 32);
  const bands: Band[] = [];
  for (let first = 0; first < all; first += most) bands.push({ first, tiles: Math.min(most, all - first) });
  return { high, wide, bands, most };
}

export function inputPass(
  x: TensorView,
  v: Scratch,
  { high, wide }: Tiling,
  { first, tiles }: Band,
  relu = false,
): Pass {
  const [, h = 0, w = 0, cIn = 0] = x.shape;
  return pass(winograd_input, {
    bind: { x, v },
    types: { X: typeOf(x) },
    params: {
      h,
      w,
      c_in: cIn,
      ...viewParams("x", x),
      relu: relu ? 1 : 0,
      tiles_high: high,
      tiles_wide: wide,
      first,
      tiles,
    },
    workgroups: threads(tiles * cIn),
  });
}

export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Of x: whether it lies row by row or term by term. */
  readonly rowMajor: boolean;
  readonly accumulate?: boolean;
}

/** 36 products y = x w on tiles of `productTile(lanes, rows, n)`. */
export function productPass(
  bind: { x: Operand; w: Operand; y: Operand },
  product: Product,
  lanes: number,
  most: number,
): Pass {
  const { m, n, k, rowMajor, accumulate = false } = product;
  const { rows: ROWS, columns: COLUMNS, depth: DEPTH } = productTile(lanes, most, n);
  return pass(matmul_subgroup, {
    bind,
    consts: { LANES: lanes, ROWS, COLUMNS, DEPTH },
    params: {
      m,
      n,
      k,
      steps: ceilDiv(k, DEPTH),
      x_row: rowMajor ? k : 1,
      x_term: rowMajor ? 1 : m,
      accumulate: accumulate ? 1 : 0,
    },
    workgroups: [ceilDiv(m, ROWS * lanes), ceilDiv(n, COLUMNS), POINTS],
  });
}

/** @param transposed whether the weight is [3, 3, C_out, C_in] of a transposed convolution */
export function planWinograd(
  problem: Problem<ActivationAttrs & { readonly reluInput?: boolean }>,
  lanes: number,
  { transposed }: { readonly transposed: boolean },
): NodePlan {
  const [x, w, y] = [operand(problem, 0), operand(problem, 1), result(problem)];
  const [cIn = 0, cOut = 0] = [x.shape[3], y.shape[3]];
  const tiling = tilesOf(y.shape, cIn + cOut);
  const { columns, depth } = productTile(lanes, tiling.most, cOut);
  const cPadded = ceilDiv(cIn, depth) * depth;
  const size = cPadded * ceilDiv(cOut, columns) * columns;
  const u = scratch("weight in Winograd's form", POINTS * size);
  const prepare = pass(winograd_weight, {
    bind: { w, u },
    types: { W: typeOf(w) },
    params: { c_in: cIn, c_padded: cPadded, c_out: cOut, columns, flipped: transposed ? 1 : 0, size },
    workgroups: threads(size),
  });
  const v = scratch("input in Winograd's form", POINTS * tiling.most * cIn);
  const m = scratch("output in Winograd's form", POINTS * tiling.most * cOut);
  const passes = tiling.bands.flatMap((band) => [
    inputPass(x, v, tiling, band, problem.attrs.reluInput),
    productPass({ x: v, w: u, y: m }, { m: band.tiles, n: cOut, k: cIn, rowMajor: true }, lanes, tiling.most),
    outputPass(problem, m, tiling, band),
  ]);
  return { prepare: [prepare], passes };
}

function outputPass(
  problem: Problem<ActivationAttrs>,
  m: Scratch,
  { high, wide }: Tiling,
  { first, tiles }: Band,
): Pass {
  const y = result(problem);
  const [, oh = 0, ow = 0, cOut = 0] = y.shape;
  return pass(winograd_output, {
    bind: { m, bias: problem.inputs[2] ?? NONE, y },
    types: { Y: typeOf(y) },
    overrides: activationOverrides(problem.attrs),
    params: {
      oh,
      ow,
      c_out: cOut,
      ...viewParams("y", y),
      has_bias: problem.inputs[2] ? 1 : 0,
      tiles_high: high,
      tiles_wide: wide,
      first,
      tiles,
    },
    workgroups: threads(tiles * cOut),
  });
}

/** Whether the transformed weights fit a binding. */
export function acceptsWinograd(
  problem: Problem<{ readonly stride: number; readonly padding: number }>,
  { subgroupSize, limits }: Capabilities,
): boolean {
  const [cIn = 0, cOut = 0] = [operand(problem, 0).shape[3], result(problem).shape[3]];
  const bytes = POINTS * 4 * (cIn + 4) * (cOut + 64);
  return is3x3(problem) && isSubgroupSize(subgroupSize) && bytes <= limits.maxStorageBufferBindingSize;
}

/** Whether the multiplications saved pay for the transforms, whose cost grows with the sum of the channels alone. */
export function suitsWinograd(problem: Problem<unknown>, { software, subgroupSize }: Capabilities): boolean {
  const [cIn = 0, cOut = 0] = [operand(problem, 0).shape[3], result(problem).shape[3]];
  return software && (cIn * cOut) / (cIn + cOut) >= winogradThreshold(subgroupSize).forward;
}

export const winograd: Variant<Conv2dAttrs> = {
  name: "winograd",
  features: ["subgroups"],
  f16: true,
  accepts: acceptsWinograd,
  suits: suitsWinograd,
  plan: (p, { subgroupSize }) => planWinograd(p, subgroupSize, { transposed: false }),
};
