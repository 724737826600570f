/** Grows an image on its four sides by mirroring it about its edge pixels, which are not repeated. */
import { type ApplyOptions, apply, defineOp, operand, pass, result } from "../../graph/op.js";
import { nhwc, sizeOf, type Tensor } from "../../graph/tensor.js";
import { reflect_pad } from "../../shaders.generated.js";
import { expectIntegers, f32, present } from "../expect.js";
import { reflectPadBackward } from "../reflect_pad_backward/op.js";
import { laneVariants, threads, viewOverrides } from "../views.js";

/** Pixels to add on each side. */
export interface ReflectPadAttrs {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

export const reflectPadOp = defineOp<ReflectPadAttrs>({
  name: "reflect_pad",
  infer([x], { top, left, bottom, right }) {
    const [n, h, w, c] = nhwc("reflect_pad", "x", present("reflect_pad", "x", x));
    expectIntegers("reflect_pad", { top, left, bottom, right }, 0);
    return f32([n, top + h + bottom, left + w + right, c]);
  },
  flops: () => 0,
  vjp: ({ attrs }, [dy]) => [dy ? reflectPadBackward(dy, attrs) : null],
  variants: laneVariants(
    (p) => [operand(p, 0), result(p)],
    (p, lanes) => {
      const [x, y] = [operand(p, 0), result(p)];
      const [, H, W, C] = nhwc("reflect_pad", "x", x.shape);
      const [, OH, OW] = nhwc("reflect_pad", "result", y.shape);
      const SIZE = sizeOf(y.shape);
      const sizes = { H, W, C, TOP: p.attrs.top, LEFT: p.attrs.left, OH, OW, SIZE };
      const overrides = { ...sizes, ...viewOverrides("X", x), ...viewOverrides("Y", y) };
      const { consts, types } = lanes;
      const workgroups = threads(SIZE / lanes.count);
      return { passes: [pass(reflect_pad, { bind: { x, y }, overrides, consts, types, workgroups })] };
    },
  ),
});

/**
 * numpy's `pad(mode="reflect")`: padding wider than the image mirrors the mirror image again; a single pixel is repeated.
 * @param x [N, H, W, C]
 * @returns [N, top + H + bottom, left + W + right, C]
 */
export const reflectPad = (x: Tensor, attrs: ReflectPadAttrs, options?: ApplyOptions): Tensor =>
  apply(reflectPadOp, [x], attrs, options);
