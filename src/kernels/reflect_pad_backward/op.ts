/** Gradient of `reflectPad`: every pixel gathers its images. */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { reflect_pad_backward } from "../../shaders.generated.js";
import { expectIntegers, f32, present } from "../expect.js";
import { laneVariants, threads, viewOverrides } from "../views.js";

/** Pixels that were added on each side. */
export interface ReflectPadBackwardAttrs {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

export const reflectPadBackwardOp = defineOp<ReflectPadBackwardAttrs>({
  name: "reflect_pad_backward",
  infer([dy], { top, left, bottom, right }) {
    const shape = present("reflect_pad_backward", "dy", dy);
    const [n, oh, ow, c] = nhwc("reflect_pad_backward", "dy", shape);
    expectIntegers("reflect_pad_backward", { top, left, bottom, right }, 0);
    const [h, w] = [oh - top - bottom, ow - left - right];
    if (h < 1 || w < 1) {
      throw new ShapeError(
        `reflect_pad_backward: dy ${showShape(shape)} is all padding: ${top}+${bottom} rows, ${left}+${right} columns`,
      );
    }
    return f32([n, h, w, c]);
  },
  flops: ([dy]) => sizeOf(shapeOf(dy)),
  variants: laneVariants(
    (p) => [operand(p, 0), result(p)],
    (p, lanes) => {
      const [dy, dx] = [operand(p, 0), result(p)];
      const [, OH, OW] = nhwc("reflect_pad_backward", "dy", dy.shape);
      const [, H, W, C] = nhwc("reflect_pad_backward", "dx", dx.shape);
      const SIZE = sizeOf(dx.shape);
      const sizes = { H, W, C, TOP: p.attrs.top, LEFT: p.attrs.left, OH, OW, SIZE };
      const overrides = { ...sizes, ...viewOverrides("DY", dy), ...viewOverrides("DX", dx) };
      const { consts, types } = lanes;
      const workgroups = threads(SIZE / lanes.count);
      return { passes: [pass(reflect_pad_backward, { bind: { dy, dx }, overrides, consts, types, workgroups })] };
    },
  ),
});

/**
 * @param dy [N, top + H + bottom, left + W + right, C]
 * @returns [N, H, W, C]
 */
export const reflectPadBackward = (dy: Tensor, attrs: ReflectPadBackwardAttrs, options?: ApplyOptions): Tensor =>
  apply(reflectPadBackwardOp, [dy], attrs, options);
