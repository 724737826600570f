/** The pass that view ops fall back on where the layout could not place their tensors in one storage. */
import { type Pass, pass, type TensorView } from "../graph/op.js";
import { sizeOf } from "../graph/tensor.js";
import { copy } from "../shaders.generated.js";
import { lanesOf, threads, typeOf, viewOverrides } from "./views.js";

/** Element i of `from` becomes element i of `to`; their shapes may differ, their sizes not. */
export function copyPass(from: TensorView, to: TensorView): Pass {
  const { count, consts, types } = lanesOf([from, to]);
  const SIZE = sizeOf(from.shape);
  const pixels = { X_C: from.shape.at(-1) ?? 1, Y_C: to.shape.at(-1) ?? 1, SIZE };
  const overrides = { ...pixels, ...viewOverrides("X", from), ...viewOverrides("Y", to) };
  return pass(copy, {
    bind: { x: from, y: to },
    overrides,
    consts,
    types: { ...types, X: typeOf(from, count), Y: typeOf(to, count) },
    workgroups: threads(SIZE / count),
  });
}
