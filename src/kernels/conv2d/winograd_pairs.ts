/**
 * Winograd's F(4x4, 2x2) for kernel 4, stride 2, padding 1, the U-Net's own convolution, and for its transpose. Either is
 * made of 2x2 convolutions, one for each parity of input (or output) row and column, and those take 25 multiplications a
 * tile of 4x4 outputs instead of 64. The transformed weights take 6.25 times the memory of the weights.
 *
 * The four phases of a transposed one see windows a pixel apart. On large maps the odd phases' tiles begin a pixel earlier,
 * so that all four see the same windows: a quarter of the factors to make and store, one product of four times the columns,
 * for one more row and column of tiles.
 */
import {
  type Capabilities,
  ceilDiv,
  NONE,
  type NodePlan,
  operand,
  type Problem,
  pass,
  result,
  scratch,
  type Variant,
} from "../../graph/op.js";
import type { Shape } from "../../graph/tensor.js";
import { winograd_pairs_input, winograd_pairs_output, winograd_pairs_weight } from "../../shaders.generated.js";
import type { ActivationAttrs } from "../activation.js";
import { threads, typeOf, viewParams } from "../views.js";
import { epilogueFusion, gateOf } from "./fused.js";
import type { Conv2dAttrs } from "./op.js";
import { isSubgroupSize, pairsThreshold, productTile } from "./tiles.js";
import { factorRow, productPass, productRow, tilesOf } from "./winograd.js";

const POINTS = 25;
const PARTS = 4;

/** Bytes of transformed weights beyond which a layer keeps its own: at small maps they would cost more than they save. */
const MOST_WEIGHT_BYTES = 64 * 2 ** 20;

/**
 * An output's error is bounded by the terms of its own sum. Winograd's error comes from all terms of a tile, which are
 * alike only where a sum has many.
 */
const FEWEST_CHANNELS = 8;

interface Kind {
  readonly transposed: boolean;
}

/** @param transposed whether the weight is [4, 4, C_out, C_in] of a transposed convolution */
export function planWinogradPairs(
  problem: Problem<ActivationAttrs & { readonly reluInput?: boolean }>,
  lanes: number,
  { transposed }: Kind,
): NodePlan {
  const [x, w, y] = [operand(problem, 0), operand(problem, 1), result(problem)];
  const [, h = 0, width = 0, cIn = 0] = x.shape;
  const [, oh = 0, ow = 0, cOut = 0] = y.shape;
  const phases = transposed ? PARTS : 1;
  const shared = transposed && sharesWindows(x, lanes);
  const parts = shared ? 1 : PARTS;
  const products = shared ? 1 : phases;
  const k = transposed ? cIn : PARTS * cIn;
  const row = factorRow(k);
  const n = (phases / products) * cOut;
  // Tiles lie on the map that the 2x2 convolutions of stride 1 make: the output, or one phase of it.
  const map = transposed
    ? x.shape.map((side, axis) => (shared && (axis === 1 || axis === 2) ? side + 1 : side))
    : y.shape;
  const tiling = tilesOf(map, POINTS * (parts * cIn + phases * cOut));
  const { columns, depth } = productTile(lanes, tiling.most, n);
  const [terms, mRow] = [ceilDiv(k, depth) * depth, productRow(n, columns)];
  const size = terms * mRow;
  const u = scratch("weight in Winograd's form", products * POINTS * size);
  const prepare = pass(winograd_pairs_weight, {
    bind: { w, u },
    types: { W: typeOf(w) },
    params: { c_in: cIn, c_out: cOut, columns, terms, transposed: transposed ? 1 : 0, joined: shared ? 1 : 0, size },
    workgroups: threads(products * size),
  });
  const v = scratch("input in Winograd's form", (transposed ? parts : 1) * POINTS * tiling.most * row);
  const m = scratch("output in Winograd's form", products * POINTS * tiling.most * mRow);
  const epilogue = epilogueFusion(problem);
  const passes = tiling.bands.flatMap(({ first, tiles }) => {
    const place = { tiles_high: tiling.high, tiles_wide: tiling.wide, first, tiles };
    const toFactors = pass(winograd_pairs_input, {
      bind: { x, v },
      types: { X: typeOf(x) },
      params: {
        h,
        w: width,
        c_in: cIn,
        ...viewParams("x", x),
        relu: problem.attrs.reluInput ? 1 : 0,
        spacing: transposed ? 1 : 2,
        parts,
        ...place,
        tile_stride: row,
        part_stride: transposed ? POINTS * tiles * row : cIn,
        point_stride: tiles * row,
      },
      workgroups: threads(tiles * parts * cIn),
    });
    const product = { m: tiles, n, k, rowMajor: true, pitch: row, batches: products * POINTS };
    const toOutputs = pass(winograd_pairs_output, {
      bind: { m, bias: problem.inputs[2] ?? NONE, y, ...epilogue.bind },
      overrides: epilogue.overrides,
      types: { Y: typeOf(y), ...epilogue.types },
      params: {
        oh,
        ow,
        c_out: cOut,
        ...viewParams("y", y),
        has_bias: problem.inputs[2] ? 1 : 0,
        phases,
        spacing: transposed ? 2 : 1,
        ...place,
        m_row: mRow,
        m_phase: shared ? cOut : POINTS * tiles * mRow,
        earlier: shared ? 1 : 0,
        ...epilogue.params,
      },
      workgroups: threads(tiles * phases * cOut),
    });
    return [toFactors, productPass({ x: v, w: u, y: m }, product, lanes, tiling.most), toOutputs];
  });
  return { prepare: [prepare], passes };
}

/** Whether the phases of a transposed convolution share their windows: where the tiles added are few. */
const sharesWindows = ({ shape: [, h = 0, w = 0] }: { readonly shape: Shape }, lanes: number): boolean =>
  Math.min(h, w) >= pairsThreshold(lanes).shared;

/** Whether a problem is kernel 4, stride 2, padding 1 without a gate, and its transformed weights fit a binding. */
export function acceptsPairs(
  problem: Problem<{ readonly stride: number; readonly padding: number }>,
  { subgroupSize, limits }: Capabilities,
): boolean {
  const [r, s] = operand(problem, 1).shape;
  const cIn = operand(problem, 0).shape[3] ?? 0;
  const { stride, padding } = problem.attrs;
  return (
    r === 4 &&
    s === 4 &&
    stride === 2 &&
    padding === 1 &&
    cIn >= FEWEST_CHANNELS &&
    !gateOf(problem) &&
    isSubgroupSize(subgroupSize) &&
    weightBytes(problem) <= limits.maxStorageBufferBindingSize
  );
}

/** Whether the multiplications saved pay for the transforms, and the map is large enough to use the weights often. */
export function suitsPairs(problem: Problem<unknown>, { software, subgroupSize }: Capabilities, kind: Kind): boolean {
  const [x, y] = [operand(problem, 0), result(problem)];
  const shared = kind.transposed && sharesWindows(x, subgroupSize);
  const [cIn = 0, cOut = 0] = [x.shape[3], (shared ? PARTS : 1) * (y.shape[3] ?? 0)];
  const [n = 0, h = 0, w = 0] = kind.transposed ? x.shape : y.shape;
  const { channels, pixels } = pairsThreshold(subgroupSize);
  // Weights that training changes are transformed in every step.
  const fewest = operand(problem, 1).constant ? pixels : 4 * pixels;
  const enough = (cIn * cOut) / (cIn + cOut) >= channels && n * h * w >= fewest;
  return software && enough && weightBytes(problem) <= MOST_WEIGHT_BYTES;
}

const weightBytes = (problem: Problem<unknown>): number => {
  const [cIn = 0, cOut = 0] = [operand(problem, 0).shape[3], result(problem).shape[3]];
  return POINTS * 4 * PARTS * ceilDiv(cIn, 4) * 4 * ceilDiv(cOut, 64) * 64;
};

export const winogradPairs: Variant<Conv2dAttrs> = {
  name: "winograd_pairs",
  features: ["subgroups"],
  f16: true,
  accepts: acceptsPairs,
  suits: (p, capabilities) => suitsPairs(p, capabilities, { transposed: false }),
  plan: (p, { subgroupSize }) => planWinogradPairs(p, subgroupSize, { transposed: false }),
};
