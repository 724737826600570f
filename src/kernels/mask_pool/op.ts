/** The mask at a level of the network, hard again: round(avg_pool2d(mask, 2, stride)) of the published code. */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { mask_pool } from "../../shaders.generated.js";
import { f32, present } from "../expect.js";
import { threads, viewOverrides } from "../views.js";

export interface MaskPoolAttrs {
  /** Mask width over feature width, at least 2. */
  readonly stride: number;
}

export const maskPoolOp = defineOp<MaskPoolAttrs>({
  name: "mask_pool",
  infer([mask], { stride }) {
    const shape = present("mask_pool", "mask", mask);
    const [n, h, w, c] = nhwc("mask_pool", "mask", shape);
    if (c !== 1) throw new ShapeError(`mask_pool: mask must have one channel, got ${showShape(shape)}`);
    if (!Number.isInteger(stride) || stride < 2 || h % stride !== 0 || w % stride !== 0) {
      throw new ShapeError(
        `mask_pool: stride must be an integer from 2 that divides the mask's sides ${showShape(shape)}, got ${stride}`,
      );
    }
    return f32([n, h / stride, w / stride, 1]);
  },
  flops: (_, [y]) => 5 * sizeOf(shapeOf(y)),
  vjp: () => [null], // rounding is flat wherever it has a derivative
  variants: [
    {
      name: "direct",
      features: [],
      accepts: () => true,
      plan: (p) => {
        const [x, y] = [operand(p, 0), result(p)];
        const [, H, W] = nhwc("mask_pool", "mask", x.shape);
        const [, OH, OW] = nhwc("mask_pool", "result", y.shape);
        const SIZE = sizeOf(y.shape);
        const sizes = { H, W, STRIDE: p.attrs.stride, OH, OW, SIZE };
        const overrides = { ...sizes, ...viewOverrides("X", x), ...viewOverrides("Y", y) };
        return { passes: [pass(mask_pool, { bind: { x, y }, overrides, workgroups: threads(SIZE) })] };
      },
    },
  ],
});

/**
 * The mean of each cell's top-left 2 x 2 pixels, rounded, halves to even. The rest of a cell is not looked at.
 * @param mask [N, H, W, 1]
 * @returns [N, H / stride, W / stride, 1]
 */
export const maskPool = (mask: Tensor, attrs: MaskPoolAttrs, options?: ApplyOptions): Tensor =>
  apply(maskPoolOp, [mask], attrs, options);
