/** The same elements in another shape. Free where they lie densely (graph/layout.ts). */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, apply, defineOp, operand, result } from "../../graph/op.js";
import { type Shape, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { copyPass } from "../copy.js";
import { expectIntegers, present } from "../expect.js";

export interface ReshapeAttrs {
  readonly shape: Shape;
}

export const reshapeOp = defineOp<ReshapeAttrs>({
  name: "reshape",
  view: "reshape",
  infer([x], { shape }) {
    const from = present("reshape", "x", x);
    expectIntegers("reshape", Object.fromEntries(shape.map((length, i) => [`length ${i}`, length])), 1);
    if (shape.length === 0 || sizeOf(from) !== sizeOf(shape)) {
      throw new ShapeError(
        `reshape: x ${showShape(from)} has ${sizeOf(from)} elements, ${showShape(shape)} has ${sizeOf(shape)}`,
      );
    }
    return [{ shape, dtype: x?.dtype ?? "f32" }];
  },
  flops: () => 0,
  vjp: ({ inputs: [x] }, [dy]) => [x && dy ? reshape(dy, x.shape) : null],
  variants: [
    {
      name: "copy",
      features: [],
      f16: true,
      accepts: () => true,
      plan(p) {
        const [x, y] = [operand(p, 0), result(p)];
        return { passes: x.storage === y.storage ? [] : [copyPass(x, y)] };
      },
    },
  ],
});

/** @param shape as many elements as x has, in the same order */
export const reshape = (x: Tensor, shape: Shape, options?: ApplyOptions): Tensor =>
  apply(reshapeOp, [x], { shape }, options);
