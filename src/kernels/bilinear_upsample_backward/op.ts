/** Gradient of `bilinearUpsample`. */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { bilinear_upsample_backward } from "../../shaders.generated.js";
import { f32, present } from "../expect.js";
import { laneVariants, threads, viewOverrides } from "../views.js";

export interface BilinearUpsampleBackwardAttrs {
  readonly alignCorners: boolean;
}

export const bilinearUpsampleBackwardOp = defineOp<BilinearUpsampleBackwardAttrs>({
  name: "bilinear_upsample_backward",
  infer([dy]) {
    const shape = present("bilinear_upsample_backward", "dy", dy);
    const [n, h, w, c] = nhwc("bilinear_upsample_backward", "dy", shape);
    if (h % 2 !== 0 || w % 2 !== 0) {
      throw new ShapeError(`bilinear_upsample_backward: dy must be [N, 2 H, 2 W, C], got ${showShape(shape)}`);
    }
    return f32([n, h / 2, w / 2, c]);
  },
  flops: ([dy]) => 7 * sizeOf(shapeOf(dy)),
  variants: laneVariants(
    (p) => [operand(p, 0), result(p)],
    (p, lanes) => {
      const [dy, dx] = [operand(p, 0), result(p)];
      const [, H, W, C] = nhwc("bilinear_upsample_backward", "dx", dx.shape);
      const SIZE = sizeOf(dx.shape);
      const sizes = { H, W, C, SIZE, ALIGN_CORNERS: p.attrs.alignCorners ? 1 : 0 };
      const overrides = { ...sizes, ...viewOverrides("DY", dy), ...viewOverrides("DX", dx) };
      const { consts, types } = lanes;
      const workgroups = threads(SIZE / lanes.count);
      return { passes: [pass(bilinear_upsample_backward, { bind: { dy, dx }, overrides, consts, types, workgroups })] };
    },
  ),
});

/**
 * @param dy [N, 2 H, 2 W, C]
 * @returns [N, H, W, C]
 */
export const bilinearUpsampleBackward = (
  dy: Tensor,
  attrs: BilinearUpsampleBackwardAttrs,
  options?: ApplyOptions,
): Tensor => apply(bilinearUpsampleBackwardOp, [dy], attrs, options);
