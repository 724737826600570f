/** Some of a tensor's channels. Free: whoever reads it reads the whole at an offset (graph/layout.ts). */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, apply, defineOp, operand, result } from "../../graph/op.js";
import { showShape, type Tensor } from "../../graph/tensor.js";
import { copyPass } from "../copy.js";
import { expectIntegers, present } from "../expect.js";
import { sliceBackward } from "../slice_backward/op.js";

export interface SliceAttrs {
  /** The first channel. */
  readonly start: number;
  /** How many channels. */
  readonly length: number;
}

export const sliceOp = defineOp<SliceAttrs>({
  name: "slice",
  view: "slice",
  infer([x], { start, length }) {
    const shape = present("slice", "x", x);
    expectIntegers("slice", { start }, 0);
    expectIntegers("slice", { length }, 1);
    if (start + length > (shape.at(-1) ?? 0)) {
      throw new ShapeError(`slice: channels ${start} to ${start + length - 1} are not all in x ${showShape(shape)}`);
    }
    return [{ shape: [...shape.slice(0, -1), length], dtype: x?.dtype ?? "f32" }];
  },
  flops: () => 0,
  vjp: ({ inputs: [x], attrs }, [dy]) => [
    dy && x ? sliceBackward(dy, { start: attrs.start, channels: x.shape.at(-1) ?? 0 }) : null,
  ],
  variants: [
    {
      name: "copy",
      features: [],
      f16: true,
      accepts: () => true,
      plan(p) {
        const [x, y] = [operand(p, 0), result(p)];
        if (x.storage === y.storage) return { passes: [] };
        return { passes: [copyPass({ ...x, shape: y.shape, offset: x.offset + p.attrs.start }, y)] };
      },
    },
  ],
});

/**
 * @param x [..., C]
 * @returns [..., length]: channels start to start + length - 1
 */
export const slice = (x: Tensor, attrs: SliceAttrs, options?: ApplyOptions): Tensor =>
  apply(sliceOp, [x], attrs, options);
