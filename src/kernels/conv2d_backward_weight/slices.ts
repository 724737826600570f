/** The sum over pixels cut into slices that are summed side by side and then added in order: the same on every run. */
import { ceilDiv, type Operand, type Pass, pass, scratch, type TensorView } from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { conv2d_backward_weight_join } from "../../shaders.generated.js";
import { threads, viewParams } from "../views.js";

/** How many slices of how many items each, so that `tiles` of every slice are `workgroups` in all. */
export function slicesOf(items: number, tiles: number, workgroups: number) {
  const each = ceilDiv(items, Math.min(items, ceilDiv(workgroups, tiles)));
  return { slices: ceilDiv(items, each), each };
}

/** How slices lay the gradient down: channels may be padded to what a kernel stores at once. */
export interface Padding {
  readonly cIn: number;
  readonly cOut: number;
}

/** Where the slices' results go, and the pass that adds them; a single slice is the result, where that lies densely. */
export function joinSlices(
  dw: TensorView,
  slices: number,
  padding?: Padding,
): { readonly partial: Operand; readonly join: readonly Pass[] } {
  const [r = 0, s = 0, c_in = 0, c_out = 0] = dw.shape;
  const { cIn: rows, cOut: columns } = padding ?? { cIn: c_in, cOut: c_out };
  const padded = rows !== c_in || columns !== c_out;
  if (slices === 1 && !padded && dw.pitch === c_out && dw.offset === 0) return { partial: dw, join: [] };
  const plane = r * s * rows * columns;
  const partial = scratch("weight gradients of the slices", slices * plane);
  const size = sizeOf(dw.shape);
  const params = { size, slices, c_in, c_out, rows, columns, plane, ...viewParams("dw", dw) };
  const join = pass(conv2d_backward_weight_join, { bind: { partial, dw }, params, workgroups: threads(size) });
  return { partial, join: [join] };
}
