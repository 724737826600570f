/** Gradients of S2AM's three gates: of their packed parameters, and of the pooled values that they all see. */
import {
  type ApplyOptions,
  applyAll,
  defineOp,
  operand,
  pass,
  result,
  scratch,
  shapeOf,
  type TensorView,
} from "../../graph/op.js";
import { type Shape, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { attention_gates_backward, attention_gates_backward_units } from "../../shaders.generated.js";
import { GATES, gateSize } from "../attention_gates/packing.js";
import { expectShape, f32, present } from "../expect.js";
import { threads, viewParams } from "../views.js";

const NAME = "attention_gates_backward";

function sizesOf(foreground: Shape, packed: Shape) {
  const [n = 0, c = 0] = foreground;
  return { n, c, units: gateSize(NAME, c, packed).units };
}

export const attentionGatesBackwardOp = defineOp<object>({
  name: NAME,
  infer([dForeground, dComposing, foreground, composing, units, pooled, packed]) {
    const shape = present(NAME, "foreground", foreground);
    const weights = present(NAME, "packed", packed);
    const size = sizesOf(shape, weights);
    const because = `foreground ${showShape(shape)}`;
    expectShape(NAME, "dForeground", dForeground, shape, because);
    for (const [what, spec] of Object.entries({ dComposing, composing, pooled })) {
      expectShape(NAME, what, spec, [size.n, 2 * size.c], because);
    }
    expectShape(NAME, "units", units, [size.n, GATES * size.units], because);
    return [...f32([size.n, 2 * size.c]), ...f32(weights)];
  },
  flops: ([dForeground, , , , , , packed]) => 4 * sizeOf(shapeOf(packed)) * (shapeOf(dForeground)[0] ?? 0),
  variants: [
    {
      name: "direct",
      features: [],
      accepts: () => true,
      plan(p) {
        const [d_foreground, d_composing, foreground, composing, units, pooled, weights] = [0, 1, 2, 3, 4, 5, 6].map(
          (i) => operand(p, i),
        ) as [TensorView, TensorView, TensorView, TensorView, TensorView, TensorView, TensorView];
        const [d_pooled, d_weights] = [result(p), result(p, 1)];
        const { n, c, units: hidden } = sizesOf(foreground.shape, weights.shape);
        const d = scratch("gradients before the gates' activations", n * GATES * (c + hidden));
        const inner = pass(attention_gates_backward_units, {
          bind: { d_foreground, d_composing, foreground, composing, units, weights, d },
          params: {
            n,
            c,
            hidden,
            ...viewParams("d_foreground", d_foreground),
            ...viewParams("d_composing", d_composing),
            ...viewParams("foreground", foreground),
            ...viewParams("composing", composing),
            ...viewParams("units", units),
          },
          workgroups: threads(n * GATES * (c + hidden)),
        });
        const outer = pass(attention_gates_backward, {
          bind: { d, units, pooled, weights, d_weights, d_pooled },
          params: {
            n,
            c,
            hidden,
            ...viewParams("units", units),
            ...viewParams("pooled", pooled),
            ...viewParams("d_weights", d_weights),
            ...viewParams("d_pooled", d_pooled),
          },
          workgroups: threads(sizeOf(weights.shape) + n * 2 * c),
        });
        return { passes: [inner, outer] };
      },
    },
  ],
});

export interface AttentionGatesBackwardInputs {
  /** Gradients of the gates, [N, C] and [N, 2 C], and the gates themselves. */
  readonly dForeground: Tensor;
  readonly dComposing: Tensor;
  readonly foreground: Tensor;
  readonly composing: Tensor;
  /** The hidden units after their ReLU, [N, 3 units]. */
  readonly units: Tensor;
  /** [N, 2 C] */
  readonly pooled: Tensor;
  readonly packed: Tensor;
}

/** @returns [N, 2 C], and like `packed` */
export function attentionGatesBackward(
  { dForeground, dComposing, foreground, composing, units, pooled, packed }: AttentionGatesBackwardInputs,
  options?: ApplyOptions,
): { readonly dPooled: Tensor; readonly dPacked: Tensor } {
  const inputs = [dForeground, dComposing, foreground, composing, units, pooled, packed];
  const [dPooled, dPacked] = applyAll(attentionGatesBackwardOp, inputs, {}, options);
  return { dPooled, dPacked } as { dPooled: Tensor; dPacked: Tensor };
}
