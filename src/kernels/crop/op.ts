/** Cuts a rectangle out of an image. */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { crop as shader } from "../../shaders.generated.js";
import { expectIntegers, f32, present } from "../expect.js";
import { laneVariants, threads, viewOverrides } from "../views.js";
import { zeroPad } from "../zero_pad/op.js";

export interface CropAttrs {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

export const cropOp = defineOp<CropAttrs>({
  name: "crop",
  infer([x], { top, left, height, width }) {
    const shape = present("crop", "x", x);
    const [n, h, w, c] = nhwc("crop", "x", shape);
    expectIntegers("crop", { top, left }, 0);
    expectIntegers("crop", { height, width }, 1);
    if (top + height > h || left + width > w) {
      throw new ShapeError(
        `crop: ${height}x${width} pixels from row ${top}, column ${left} reach past x ${showShape(shape)}`,
      );
    }
    return f32([n, height, width, c]);
  },
  flops: () => 0,
  vjp({ inputs: [x], attrs: { top, left, height, width } }, [dy]) {
    const [, h, w] = nhwc("crop", "x", shapeOf(x));
    return [dy ? zeroPad(dy, { top, left, bottom: h - top - height, right: w - left - width }) : null];
  },
  variants: laneVariants(
    (p) => [operand(p, 0), result(p)],
    (p, lanes) => {
      const [x, y] = [operand(p, 0), result(p)];
      const [, H, W, C] = nhwc("crop", "x", x.shape);
      const SIZE = sizeOf(y.shape);
      const { top: TOP, left: LEFT, height: OH, width: OW } = p.attrs;
      const overrides = { H, W, C, TOP, LEFT, OH, OW, SIZE, ...viewOverrides("X", x), ...viewOverrides("Y", y) };
      const { consts, types } = lanes;
      const workgroups = threads(SIZE / lanes.count);
      return { passes: [pass(shader, { bind: { x, y }, overrides, consts, types, workgroups })] };
    },
  ),
});

/**
 * @param x [N, H, W, C]
 * @returns [N, height, width, C]
 */
export const crop = (x: Tensor, attrs: CropAttrs, options?: ApplyOptions): Tensor => apply(cropOp, [x], attrs, options);
