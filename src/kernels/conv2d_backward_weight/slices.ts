/** The sum over pixels cut into slices that are summed side by side and then added in order: the same on every run. */
import { type Operand, type Pass, pass, scratch, type TensorView } from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { add_slices } from "../../shaders.generated.js";
import { threads } from "../views.js";

/** Workgroups that keep every core of a machine busy. */
const WORKGROUPS = 64;

/** How many slices of how many items each, so that `tiles` of them fill the device. */
export function slicesOf(items: number, tiles: number): { readonly slices: number; readonly each: number } {
  const each = Math.ceil(items / Math.min(items, Math.max(1, Math.ceil(WORKGROUPS / tiles))));
  return { slices: Math.ceil(items / each), each };
}

/** Where the slices' results go, and the pass that adds them; a single slice is the result. */
export function joinSlices(
  dw: TensorView,
  slices: number,
): { readonly partial: Operand; readonly join: readonly Pass[] } {
  if (slices === 1) return { partial: dw, join: [] };
  const SIZE = sizeOf(dw.shape);
  const partial = scratch("weight gradients of the slices", slices * SIZE);
  return {
    partial,
    join: [
      pass(add_slices, { bind: { partial, y: dw }, overrides: { SIZE, SLICES: slices }, workgroups: threads(SIZE) }),
    ],
  };
}
