/**
 * A convolution whose epilogue is equation (1) of S2AM: y = m (l + features gMix) + (1 - m) features gBg, with
 * l = activation(conv(x, w) + bias), which is never stored. For inference: its gradient would need l.
 */
import { type ApplyOptions, apply, defineOp, shapeOf } from "../../graph/op.js";
import { showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { expectTiles, fusedInputs } from "../conv2d/fused.js";
import { type Conv2dAttrs, conv2dFlops, inferConv2d } from "../conv2d/op.js";
import { conv2dVariants } from "../conv2d/variants.js";
import { expectF32, expectShape } from "../expect.js";

export const conv2dComposeOp = defineOp<Conv2dAttrs>({
  name: "conv2d_compose",
  infer([x, w, bias, , , features, gates, m, , tiles], attrs) {
    const shape = inferConv2d(shapeOf(x), shapeOf(w), bias?.shape ?? null, attrs);
    const [n = 0, h = 0, width = 0, c = 0] = shape;
    const because = `y ${showShape(shape)}`;
    expectShape("conv2d_compose", "features", features, shape, because);
    expectShape("conv2d_compose", "gates", gates, [n, 2 * c], because);
    expectShape("conv2d_compose", "m", m, [n, h, width, 1], because);
    expectTiles("conv2d_compose", tiles, shape);
    for (const [what, spec] of Object.entries({ bias, gates, m })) expectF32("conv2d_compose", what, spec);
    return [{ shape, dtype: attrs.dtype ?? w?.dtype ?? "f32" }];
  },
  flops: ([, w], [y]) => conv2dFlops(w, y) + 7 * sizeOf(shapeOf(y)),
  variants: conv2dVariants,
});

export interface CompositionInputs {
  /** [N, OH, OW, C_out] */
  readonly features: Tensor;
  /** [N, 2 C_out]: the gates of the foreground's own features, then of the background. */
  readonly gates: Tensor;
  /** The blurred mask, [N, OH, OW, 1]: 1 inside. */
  readonly m: Tensor;
  /** An order of `tileOrder` of m: l need only be computed in the tiles that it needs. */
  readonly tiles?: Tensor | undefined;
}

/** @returns [N, OH, OW, C_out] */
export const conv2dCompose = (
  x: Tensor,
  w: Tensor,
  bias: Tensor | null,
  { features, gates, m, tiles }: CompositionInputs,
  attrs: Conv2dAttrs,
  options?: ApplyOptions,
): Tensor => apply(conv2dComposeOp, fusedInputs(x, w, bias, { features, gates, mask: m, tiles }), attrs, options);
