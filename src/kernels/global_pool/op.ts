/**
 * Average and maximum over each channel of an image: what the channel gates see. A second output tells the pixel where
 * each maximum is first, counted in rows: there its gradient goes.
 */
import {
  type ApplyOptions,
  apply,
  defineOp,
  operand,
  type Pass,
  type Problem,
  pass,
  result,
  type Scratch,
  scratch,
  shapeOf,
  type TensorView,
} from "../../graph/op.js";
import { nhwc, type Shape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { global_pool_join, global_pool_rows } from "../../shaders.generated.js";
import { f32, present } from "../expect.js";
import { globalPoolBackward } from "../global_pool_backward/op.js";
import { type Lanes, laneVariants, threads, typeOf, viewOverrides } from "../views.js";

/**
 * The first pass: sums, maxima and their columns of each row of pixels.
 * @returns it, and the scratch [N, H, 3, C] that it leaves them in
 */
export function poolRows(x: TensorView, { count, consts, types }: Lanes): { rows: Pass; partial: Scratch } {
  const [N, H, W, C] = nhwc("global_pool", "x", x.shape);
  const partial = scratch("row sums and maxima", N * H * 3 * C);
  const rows = pass(global_pool_rows, {
    bind: { x, partial },
    overrides: { W, C, SIZE: N * H * C, ...viewOverrides("X", x) },
    consts,
    types: { ...types, X: typeOf(x, count) },
    workgroups: threads((N * H * C) / count),
  });
  return { rows, partial };
}

/** The second pass: joins the rows in their order, so that results never vary. */
export function joinRows(
  partial: Scratch,
  [N = 0, H = 0, W = 0, C = 0]: Shape,
  y: TensorView,
  first: TensorView,
): Pass {
  return pass(global_pool_join, {
    bind: { partial, y, first },
    overrides: { H, W, C, SIZE: N * C, ...viewOverrides("Y", y), ...viewOverrides("FIRST", first) },
    workgroups: threads(N * C),
  });
}

/** Rows first, then their sums in order: parallel enough, exact to a rounding of W + H terms, the same on every run. */
function plan(p: Problem<object>, lanes: Lanes) {
  const x = operand(p, 0);
  const { rows, partial } = poolRows(x, lanes);
  return { passes: [rows, joinRows(partial, x.shape, result(p), result(p, 1))] };
}

export const globalPoolOp = defineOp<object>({
  name: "global_pool",
  infer([x]) {
    const [n, , , c] = nhwc("global_pool", "x", present("global_pool", "x", x));
    return [...f32([n, 2 * c]), ...f32([n, c])];
  },
  flops: ([x]) => 2 * sizeOf(shapeOf(x)),
  vjp({ inputs: [x], outputs: [, first], claim }, [dy]) {
    if (!dy || !x || !first) return [];
    const [, height, width] = nhwc("global_pool", "x", x.shape);
    return [globalPoolBackward(dy, first, { height, width }, { addend: claim(0) ?? undefined })];
  },
  variants: laneVariants((p) => [operand(p, 0)], plan, { f16: true }),
});

/**
 * @param x [N, H, W, C]
 * @returns [N, 2 C]: the averages, then the maxima
 */
export const globalPool = (x: Tensor, options?: ApplyOptions): Tensor => apply(globalPoolOp, [x], {}, options);
