/** Doubles height and width by bilinear interpolation, as PyTorch's `interpolate(scale_factor=2, mode="bilinear")`. */
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { nhwc, sizeOf, type Tensor } from "../../graph/tensor.js";
import { bilinear_upsample } from "../../shaders.generated.js";
import { bilinearUpsampleBackward } from "../bilinear_upsample_backward/op.js";
import { f32, present } from "../expect.js";
import { laneVariants, threads, viewOverrides } from "../views.js";

export interface BilinearUpsampleAttrs {
  /** Whether corner pixels fall on corner pixels; else pixel areas are aligned. */
  readonly alignCorners: boolean;
}

export const bilinearUpsampleOp = defineOp<BilinearUpsampleAttrs>({
  name: "bilinear_upsample",
  infer([x]) {
    const [n, h, w, c] = nhwc("bilinear_upsample", "x", present("bilinear_upsample", "x", x));
    return f32([n, 2 * h, 2 * w, c]);
  },
  // Four products and three sums.
  flops: (_, [y]) => 7 * sizeOf(shapeOf(y)),
  vjp: ({ attrs }, [dy]) => [dy ? bilinearUpsampleBackward(dy, attrs) : null],
  variants: laneVariants(
    (p) => [operand(p, 0), result(p)],
    (p, lanes) => {
      const [x, y] = [operand(p, 0), result(p)];
      const [, H, W, C] = nhwc("bilinear_upsample", "x", x.shape);
      const SIZE = sizeOf(y.shape);
      const sizes = { H, W, C, SIZE, ALIGN_CORNERS: p.attrs.alignCorners ? 1 : 0 };
      const overrides = { ...sizes, ...viewOverrides("X", x), ...viewOverrides("Y", y) };
      const { consts, types } = lanes;
      const workgroups = threads(SIZE / lanes.count);
      return { passes: [pass(bilinear_upsample, { bind: { x, y }, overrides, consts, types, workgroups })] };
    },
  ),
});

/**
 * @param x [N, H, W, C]
 * @returns [N, 2 H, 2 W, C]
 */
export const bilinearUpsample = (x: Tensor, attrs: BilinearUpsampleAttrs, options?: ApplyOptions): Tensor =>
  apply(bilinearUpsampleOp, [x], attrs, options);
