/** Gradient of a slice: dy among zeros. */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, apply, defineOp, operand, pass, result } from "../../graph/op.js";
import { showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { slice_backward } from "../../shaders.generated.js";
import { expectIntegers, f32, present } from "../expect.js";
import { threads, viewParams } from "../views.js";

export interface SliceBackwardAttrs {
  /** The slice's first channel. */
  readonly start: number;
  /** Channels of what was sliced. */
  readonly channels: number;
}

export const sliceBackwardOp = defineOp<SliceBackwardAttrs>({
  name: "slice_backward",
  infer([dy], { start, channels }) {
    const shape = present("slice_backward", "dy", dy);
    expectIntegers("slice_backward", { start }, 0);
    expectIntegers("slice_backward", { channels }, 1);
    if (start + (shape.at(-1) ?? 0) > channels) {
      throw new ShapeError(
        `slice_backward: dy ${showShape(shape)} from channel ${start} on is not a slice of ${channels} channels`,
      );
    }
    return f32([...shape.slice(0, -1), channels]);
  },
  flops: () => 0,
  variants: [
    {
      name: "direct",
      features: [],
      accepts: () => true,
      plan(p) {
        const [dy, dx] = [operand(p, 0), result(p)];
        const { start, channels: c } = p.attrs;
        const size = sizeOf(dx.shape);
        const place = { size, c, start, length: dy.shape.at(-1) ?? 0 };
        const params = { ...place, ...viewParams("dy", dy), ...viewParams("dx", dx) };
        return { passes: [pass(slice_backward, { bind: { dy, dx }, params, workgroups: threads(size) })] };
      },
    },
  ],
});

/**
 * @param dy [..., length]
 * @returns [..., channels]
 */
export const sliceBackward = (dy: Tensor, attrs: SliceBackwardAttrs, options?: ApplyOptions): Tensor =>
  apply(sliceBackwardOp, [dy], attrs, options);
