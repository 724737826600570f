/** Softens the edge of a mask, as S2AM does before it composes. */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { gaussian_blur } from "../../shaders.generated.js";
import { f32, present } from "../expect.js";
import { threads, viewOverrides } from "../views.js";
import { BLUR_RADIUS, type BlurKernel, blurTaps } from "./taps.js";

export interface GaussianBlurAttrs {
  readonly kernel: BlurKernel;
}

export const gaussianBlurOp = defineOp<GaussianBlurAttrs>({
  name: "gaussian_blur",
  infer([x], { kernel }) {
    const shape = present("gaussian_blur", "x", x);
    const [, h, w, c] = nhwc("gaussian_blur", "x", shape);
    const radius = BLUR_RADIUS[kernel];
    if (c !== 1) throw new ShapeError(`gaussian_blur: x must have one channel, got ${showShape(shape)}`);
    if (Math.min(h, w) <= radius) {
      const size = 2 * radius + 1;
      throw new ShapeError(
        `gaussian_blur: the ${size}x${size} kernel mirrors ${radius} pixels, so both sides need at least ${radius + 1}, ` +
          `got ${showShape(shape)}: use a larger image`,
      );
    }
    return f32(shape);
  },
  flops: ([x], _, { kernel }) => 2 * (2 * BLUR_RADIUS[kernel] + 1) ** 2 * sizeOf(shapeOf(x)),
  variants: [
    {
      name: "direct",
      features: [],
      accepts: () => true,
      plan: (p) => {
        const [x, y] = [operand(p, 0), result(p)];
        const [, H, W] = nhwc("gaussian_blur", "x", x.shape);
        const SIZE = sizeOf(y.shape);
        const [TAP_0 = 0, TAP_1 = 0, TAP_2 = 0, TAP_3 = 0] = blurTaps(p.attrs.kernel);
        const sizes = { H, W, SIZE, RADIUS: BLUR_RADIUS[p.attrs.kernel] };
        const overrides = { ...sizes, TAP_0, TAP_1, TAP_2, TAP_3, ...viewOverrides("X", x), ...viewOverrides("Y", y) };
        return { passes: [pass(gaussian_blur, { bind: { x, y }, overrides, workgroups: threads(SIZE) })] };
      },
    },
  ],
});

/**
 * The mask continues mirrored about its edge pixels, as PyTorch's reflect padding has it.
 * @param x [N, H, W, 1], H and W of at least 3 (`code`) or 4 (`paper`)
 * @returns [N, H, W, 1]
 */
export const gaussianBlur = (x: Tensor, attrs: GaussianBlurAttrs, options?: ApplyOptions): Tensor =>
  apply(gaussianBlurOp, [x], attrs, options);
