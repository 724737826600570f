/** Grows an image on its four sides by zeros: the gradient of `crop`. */
import { type ApplyOptions, apply, defineOp, operand, pass, result } from "../../graph/op.js";
import { nhwc, sizeOf, type Tensor } from "../../graph/tensor.js";
import { zero_pad } from "../../shaders.generated.js";
import { expectIntegers, f32, present } from "../expect.js";
import { laneVariants, threads, viewOverrides } from "../views.js";

/** Pixels to add on each side. */
export interface ZeroPadAttrs {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

export const zeroPadOp = defineOp<ZeroPadAttrs>({
  name: "zero_pad",
  infer([x], { top, left, bottom, right }) {
    const [n, h, w, c] = nhwc("zero_pad", "x", present("zero_pad", "x", x));
    expectIntegers("zero_pad", { top, left, bottom, right }, 0);
    return f32([n, top + h + bottom, left + w + right, c]);
  },
  flops: () => 0,
  variants: laneVariants(
    (p) => [operand(p, 0), result(p)],
    (p, lanes) => {
      const [x, y] = [operand(p, 0), result(p)];
      const [, H, W, C] = nhwc("zero_pad", "x", x.shape);
      const [, OH, OW] = nhwc("zero_pad", "result", y.shape);
      const SIZE = sizeOf(y.shape);
      const sizes = { H, W, C, TOP: p.attrs.top, LEFT: p.attrs.left, OH, OW, SIZE };
      const overrides = { ...sizes, ...viewOverrides("X", x), ...viewOverrides("Y", y) };
      const { consts, types } = lanes;
      const workgroups = threads(SIZE / lanes.count);
      return { passes: [pass(zero_pad, { bind: { x, y }, overrides, consts, types, workgroups })] };
    },
  ),
});

/**
 * @param x [N, H, W, C]
 * @returns [N, top + H + bottom, left + W + right, C]
 */
export const zeroPad = (x: Tensor, attrs: ZeroPadAttrs, options?: ApplyOptions): Tensor =>
  apply(zeroPadOp, [x], attrs, options);
