/** The blurred mask at a level of the network: `maskPool` and `gaussianBlur` in one pass. */
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { nhwc, sizeOf, type Tensor } from "../../graph/tensor.js";
import { level_mask } from "../../shaders.generated.js";
import { checkBlurred, type GaussianBlurAttrs } from "../gaussian_blur/problem.js";
import { BLUR_RADIUS, blurTaps } from "../gaussian_blur/taps.js";
import { type MaskPoolAttrs, maskPoolOp } from "../mask_pool/op.js";
import { threads, viewParams } from "../views.js";

export type LevelMaskAttrs = MaskPoolAttrs & GaussianBlurAttrs;

export const levelMaskOp = defineOp<LevelMaskAttrs>({
  name: "level_mask",
  infer(inputs, attrs) {
    const [pooled] = maskPoolOp.infer(inputs, attrs);
    return checkBlurred("level_mask", "the pooled mask", pooled, attrs.kernel);
  },
  flops: (_, [y], { kernel }) => 7 * (2 * BLUR_RADIUS[kernel] + 1) ** 2 * sizeOf(shapeOf(y)),
  vjp: () => [null], // rounding is flat wherever it has a derivative
  variants: [
    {
      name: "direct",
      features: [],
      accepts: () => true,
      plan: (p) => {
        const [x, y] = [operand(p, 0), result(p)];
        const { stride, kernel } = p.attrs;
        const [, h, w] = nhwc("level_mask", "mask", x.shape);
        const [, oh, ow] = nhwc("level_mask", "result", y.shape);
        const size = sizeOf(y.shape);
        const [tap_0 = 0, tap_1 = 0, tap_2 = 0, tap_3 = 0] = blurTaps(kernel);
        const sizes = { h, w, stride, oh, ow, size, radius: BLUR_RADIUS[kernel] };
        const params = { ...sizes, tap_0, tap_1, tap_2, tap_3, ...viewParams("x", x), ...viewParams("y", y) };
        return { passes: [pass(level_mask, { bind: { x, y }, params, workgroups: threads(size) })] };
      },
    },
  ],
});

/**
 * @param mask [N, H, W, 1], H and W multiples of the stride
 * @returns [N, H / stride, W / stride, 1]
 */
export const levelMask = (mask: Tensor, attrs: LevelMaskAttrs, options?: ApplyOptions): Tensor =>
  apply(levelMaskOp, [mask], attrs, options);
