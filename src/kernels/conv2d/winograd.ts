/**
 * Winograd's F(4x4, 3x3): a 3x3 convolution of stride 1 as 36 matrix products on transformed tiles of 4x4 outputs, a
 * quarter of the multiplications. The transformed weights take four times the memory of the weights.
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
  type Problem,
  pass,
  result,
  type Scratch,
  scratch,
  type TensorView,
  type Variant,
} from "../../graph/op.js";
import type { Shape } from "../../graph/tensor.js";
import {
  matmul_static,
  matmul_subgroup,
  winograd_input,
  winograd_output,
  winograd_weight,
} from "../../shaders.generated.js";
import type { ActivationAttrs } from "../activation.js";
import { threads, typeOf, viewParams } from "../views.js";
import { epilogueFusion, gateFusion, gateOf, orderOf } from "./fused.js";
import { type NeededTiles, neededTiles } from "./needed_tiles.js";
import type { Conv2dAttrs } from "./op.js";
import { is3x3 } from "./subgroup_3x3.js";
import { isSubgroupSize, productTile, winogradThreshold } from "./tiles.js";
import { type Band, type Tiling, tilingOf } from "./tiling.js";

export const POINTS = 36;
const TILE = 4;

/** Scratch that a convolution's transformed tiles may take: they pass in bands. */
const BAND_BYTES = 16 * 2 ** 20;

/** @param factors that a tile has, of input and output */
export const tilesOf = (map: Shape, factors: number): Tiling =>
  tilingOf(map, { tile: TILE, factors, bandBytes: BAND_BYTES, whole: 32 });

export interface InputOptions {
  readonly relu?: boolean | undefined;
  readonly gate?: TensorView | null;
  /** Missing: all tiles are. */
  readonly needed?: NeededTiles;
}

export function inputPass(
  x: TensorView,
  v: Scratch,
  { high, wide }: Tiling,
  { first, tiles }: Band,
  { relu = false, gate = null, needed }: InputOptions = {},
): Pass {
  const [, h = 0, w = 0, cIn = 0] = x.shape;
  const gating = gateFusion(gate);
  return pass(winograd_input, {
    bind: { x, v, ...gating.bind, order: NONE, ...needed?.order.bind },
    overrides: { ...gating.overrides, ...needed?.order.overrides },
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
      v_row: factorRow(cIn),
      ...gating.params,
    },
    workgroups: threads(tiles * cIn),
    indirect: needed?.workgroups("input", first),
  });
}

export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Of x: whether it lies row by row or term by term, and elements from one such row or term to the next. */
  readonly rowMajor: boolean;
  readonly pitch: number;
  readonly accumulate?: boolean;
  /** Products; 36 unless given. */
  readonly batches?: number;
  readonly indirect?: Indirect | undefined;
}

/**
 * Elements from one tile's factors to the next. Rows that lie a multiple of 512 bytes apart share few sets of a cache, so that a
 * product's rows would push each other out between one term and the next.
 */
export const factorRow = (channels: number): number => (channels % 128 === 0 ? channels + 16 : channels);

/** Elements from one row of a product to the next: n filled up to whole tiles, which are then written without guards. */
export const productRow = (n: number, columns: number): number => ceilDiv(n, columns) * columns;

/** Products y = x w on tiles of `productTile(lanes, rows, n)`. */
export function productPass(
  bind: { x: Operand; w: Operand; y: Operand },
  product: Product,
  lanes: number,
  most: number,
): Pass {
  const { m, n, k, rowMajor, pitch, accumulate = false, batches = POINTS, indirect } = product;
  const { rows: ROWS, columns: COLUMNS, depth: DEPTH } = productTile(lanes, most, n);
  const consts = { LANES: lanes, ROWS, COLUMNS, ACCUMULATE: accumulate ? 1 : 0 };
  const rest = {
    bind,
    params: {
      m,
      n,
      k,
      steps: ceilDiv(k, DEPTH),
      x_batch: (rowMajor ? m : k) * pitch,
      x_row: rowMajor ? pitch : 1,
      x_term: rowMajor ? 1 : pitch,
      y_row: productRow(n, COLUMNS),
    },
    workgroups: [ceilDiv(m, ROWS * lanes), ceilDiv(n, COLUMNS), batches],
    indirect,
  } as const;
  return lanes === 4
    ? pass(matmul_static, { ...rest, consts })
    : pass(matmul_subgroup, { ...rest, consts: { ...consts, DEPTH } });
}

/** @param transposed whether the weight is [3, 3, C_out, C_in] of a transposed convolution */
export function planWinograd(
  problem: Problem<ActivationAttrs & { readonly reluInput?: boolean }>,
  lanes: number,
  { transposed }: { readonly transposed: boolean },
): NodePlan {
  const [x, w, y] = [operand(problem, 0), operand(problem, 1), result(problem)];
  const [cIn = 0, cOut = 0] = [x.shape[3], y.shape[3]];
  const tiling = tilesOf(y.shape, POINTS * (cIn + cOut));
  const { rows, columns, depth } = productTile(lanes, tiling.most, cOut);
  const cPadded = ceilDiv(cIn, depth) * depth;
  const size = cPadded * ceilDiv(cOut, columns) * columns;
  const u = scratch("weight in Winograd's form", POINTS * size);
  const prepare = pass(winograd_weight, {
    bind: { w, u },
    types: { W: typeOf(w) },
    params: { c_in: cIn, c_padded: cPadded, c_out: cOut, columns, flipped: transposed ? 1 : 0, size },
    workgroups: threads(size),
  });
  const v = scratch("input in Winograd's form", POINTS * tiling.most * factorRow(cIn));
  const mRow = productRow(cOut, columns);
  const m = scratch("output in Winograd's form", POINTS * tiling.most * mRow);
  const needed = neededTiles(problem, {
    tile: TILE,
    band: tiling.most,
    inputThreads: cIn,
    outputThreads: cOut,
    product: [rows * lanes, ceilDiv(cOut, columns), POINTS],
    lanes: 1,
  });
  const passes = tiling.bands.flatMap((band) => {
    const indirect = needed.workgroups("product", band.first);
    const product = { m: band.tiles, n: cOut, k: cIn, rowMajor: true, pitch: factorRow(cIn), indirect };
    return [
      inputPass(x, v, tiling, band, { relu: problem.attrs.reluInput, gate: gateOf(problem), needed }),
      productPass({ x: v, w: u, y: m }, product, lanes, tiling.most),
      outputPass(problem, m, mRow, tiling, band, needed),
    ];
  });
  return { prepare: [prepare], passes: [...needed.before, ...passes, ...needed.after] };
}

function outputPass(
  problem: Problem<ActivationAttrs>,
  m: Scratch,
  mRow: number,
  { high, wide }: Tiling,
  { first, tiles }: Band,
  needed: NeededTiles,
): Pass {
  const y = result(problem);
  const [, oh = 0, ow = 0, cOut = 0] = y.shape;
  const epilogue = epilogueFusion(problem);
  return pass(winograd_output, {
    bind: { m, bias: problem.inputs[2] ?? NONE, y, ...epilogue.bind, ...needed.order.bind },
    overrides: { ...epilogue.overrides, ...needed.order.overrides },
    types: { Y: typeOf(y), ...epilogue.types },
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
      m_row: mRow,
      ...epilogue.params,
    },
    workgroups: threads(tiles * cOut),
    indirect: needed.workgroups("output", first),
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

/**
 * Whether the multiplications saved pay for the transforms, whose cost grows with the sum of the channels alone. Other variants
 * compute all tiles; where some may be left out this one pays sooner.
 */
export function suitsWinograd(problem: Problem<unknown>, { software, subgroupSize }: Capabilities): boolean {
  const [cIn = 0, cOut = 0] = [operand(problem, 0).shape[3], result(problem).shape[3]];
  const { forward, ordered } = winogradThreshold(subgroupSize);
  return software && (cIn * cOut) / (cIn + cOut) >= (orderOf(problem) ? ordered : forward);
}

export const winograd: Variant<Conv2dAttrs> = {
  name: "winograd",
  features: ["subgroups"],
  f16: true,
  accepts: acceptsWinograd,
  suits: suitsWinograd,
  plan: (p, { subgroupSize }) => planWinograd(p, subgroupSize, { transposed: false }),
};
