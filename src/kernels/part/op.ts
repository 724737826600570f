/** A tensor that lies inside a packed one. Free: it is bound at its place (graph/layout.ts). */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, apply, defineOp, operand, PART_ALIGNMENT, result } from "../../graph/op.js";
import { type Shape, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { copyPass } from "../copy.js";
import { expectIntegers, f32, present } from "../expect.js";

export interface PartAttrs {
  /** Elements before it, a multiple of 64. */
  readonly start: number;
  readonly shape: Shape;
}

export const partOp = defineOp<PartAttrs>({
  name: "part",
  view: "part",
  infer([packed], { start, shape }) {
    const whole = present("part", "packed", packed);
    expectIntegers("part", { start }, 0);
    expectIntegers("part", Object.fromEntries(shape.map((length, i) => [`length ${i}`, length])), 1);
    if (whole.length !== 1 || start % PART_ALIGNMENT !== 0 || start + sizeOf(shape) > (whole[0] ?? 0)) {
      throw new ShapeError(
        `part: ${showShape(shape)} from element ${start}, which must be a multiple of ${PART_ALIGNMENT}, is not inside packed ${showShape(whole)}`,
      );
    }
    return f32(shape);
  },
  flops: () => 0,
  variants: [
    {
      name: "copy",
      features: [],
      accepts: () => true,
      plan(p) {
        const [packed, y] = [operand(p, 0), result(p)];
        if (packed.storage === y.storage) return { passes: [] };
        return { passes: [copyPass({ ...y, storage: packed.storage, base: p.attrs.start }, y)] };
      },
    },
  ],
});

/** @param packed [P] */
export const part = (packed: Tensor, attrs: PartAttrs, options?: ApplyOptions): Tensor =>
  apply(partOp, [packed], attrs, options);
