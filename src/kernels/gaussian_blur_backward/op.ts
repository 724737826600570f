/** Gradient of the blur, for networks that predict their mask: its adjoint, mirrored edges and all. */
import { type ApplyOptions, apply, defineOp, operand, pass, result } from "../../graph/op.js";
import { nhwc, sizeOf, type Tensor } from "../../graph/tensor.js";
import { gaussian_blur_backward } from "../../shaders.generated.js";
import { checkBlurred, flopsOfBlur, type GaussianBlurAttrs } from "../gaussian_blur/problem.js";
import { BLUR_RADIUS, blurTaps } from "../gaussian_blur/taps.js";
import { threads, viewParams } from "../views.js";

export const gaussianBlurBackwardOp = defineOp<GaussianBlurAttrs>({
  name: "gaussian_blur_backward",
  infer: ([dy], { kernel }) => checkBlurred("gaussian_blur_backward", "dy", dy, kernel),
  flops: flopsOfBlur,
  variants: [
    {
      name: "direct",
      features: [],
      accepts: () => true,
      plan: (p) => {
        const [dy, dx] = [operand(p, 0), result(p)];
        const [, h, w] = nhwc("gaussian_blur_backward", "dy", dy.shape);
        const size = sizeOf(dx.shape);
        const [tap_0 = 0, tap_1 = 0, tap_2 = 0, tap_3 = 0] = blurTaps(p.attrs.kernel);
        const kernel = { radius: BLUR_RADIUS[p.attrs.kernel], tap_0, tap_1, tap_2, tap_3 };
        const params = { size, h, w, ...kernel, ...viewParams("dy", dy), ...viewParams("dx", dx) };
        return { passes: [pass(gaussian_blur_backward, { bind: { dy, dx }, params, workgroups: threads(size) })] };
      },
    },
  ],
});

/**
 * @param dy [N, H, W, 1]
 * @returns [N, H, W, 1]
 */
export const gaussianBlurBackward = (dy: Tensor, attrs: GaussianBlurAttrs, options?: ApplyOptions): Tensor =>
  apply(gaussianBlurBackwardOp, [dy], attrs, options);
