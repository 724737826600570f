/** Softens the edge of a mask, as S2AM does before it composes. */
import { type ApplyOptions, apply, defineOp, operand, pass, result } from "../../graph/op.js";
import { nhwc, sizeOf, type Tensor } from "../../graph/tensor.js";
import { gaussian_blur } from "../../shaders.generated.js";
import { gaussianBlurBackward } from "../gaussian_blur_backward/op.js";
import { threads, viewOverrides } from "../views.js";
import { checkBlurred, flopsOfBlur, type GaussianBlurAttrs } from "./problem.js";
import { BLUR_RADIUS, blurTaps } from "./taps.js";

export const gaussianBlurOp = defineOp<GaussianBlurAttrs>({
  name: "gaussian_blur",
  infer: ([x], { kernel }) => checkBlurred("gaussian_blur", "x", x, kernel),
  flops: flopsOfBlur,
  vjp: ({ attrs }, [dy]) => [dy ? gaussianBlurBackward(dy, attrs) : null],
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
