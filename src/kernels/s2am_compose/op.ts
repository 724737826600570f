/** Equation (1) of S2AM in one pass over the features: y = activation(m (l + x gMix) + (1 - m) x gBg). */
import { type ApplyOptions, apply, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { s2am_compose } from "../../shaders.generated.js";
import { type ActivationAttrs, activationOverrides } from "../activation.js";
import { beforeActivation } from "../activation_backward/op.js";
import { expectF32, expectShape, present } from "../expect.js";
import { s2amComposeBackward } from "../s2am_compose_backward/op.js";
import { s2amComposeBackwardMask } from "../s2am_compose_backward_mask/op.js";
import { laneVariants, threads, typeOf, viewOverrides } from "../views.js";

export const s2amComposeOp = defineOp<ActivationAttrs>({
  name: "s2am_compose",
  infer([l, x, gates, m]) {
    const shape = present("s2am_compose", "x", x);
    const [n, h, w, c] = nhwc("s2am_compose", "x", shape);
    const because = `x ${showShape(shape)}`;
    expectShape("s2am_compose", "l", l, shape, because);
    expectShape("s2am_compose", "gates", gates, [n, 2 * c], because);
    expectShape("s2am_compose", "m", m, [n, h, w, 1], because);
    for (const [what, spec] of Object.entries({ gates, m })) expectF32("s2am_compose", what, spec);
    return [{ shape, dtype: x?.dtype ?? "f32" }];
  },
  flops: (_, [y]) => 7 * sizeOf(shapeOf(y)),
  vjp({ inputs: [l, x, gates, m], outputs: [y], attrs, needs }, [dy]) {
    if (!dy || !l || !x || !gates || !m) return [];
    const dz = beforeActivation(dy, y, attrs);
    const { dl, dx, dGates } = s2amComposeBackward({ dy: dz, x, gates, m });
    return [dl, dx, dGates, needs[3] ? s2amComposeBackwardMask({ dy: dz, l, x, gates }) : null];
  },
  variants: laneVariants(
    (p) => [operand(p, 0), operand(p, 1), operand(p, 2), result(p)],
    (p, lanes) => {
      const bind = {
        l: operand(p, 0),
        x: operand(p, 1),
        gates: operand(p, 2),
        m: operand(p, 3),
        y: result(p),
      };
      const [, H, W, C] = nhwc("s2am_compose", "x", bind.x.shape);
      const SIZE = sizeOf(bind.x.shape);
      const overrides = {
        C,
        HW: H * W,
        SIZE,
        ...viewOverrides("L", bind.l),
        ...viewOverrides("X", bind.x),
        ...viewOverrides("GATES", bind.gates),
        ...viewOverrides("M", bind.m),
        ...viewOverrides("Y", bind.y),
        ...activationOverrides(p.attrs),
      };
      const { consts, count } = lanes;
      const stored = { L: typeOf(bind.l, count), X: typeOf(bind.x, count), Y: typeOf(bind.y, count) };
      const types = { ...lanes.types, ...stored };
      const workgroups = threads(SIZE / count);
      return { passes: [pass(s2am_compose, { bind, overrides, consts, types, workgroups })] };
    },
    { f16: true },
  ),
});

export interface S2amComposeInputs {
  /** What the learnable block made, [N, H, W, C]. */
  readonly l: Tensor;
  /** The features, [N, H, W, C]. */
  readonly x: Tensor;
  /** The gates of the foreground's own features, then of the background, [N, 2 C]. */
  readonly gates: Tensor;
  /** The blurred mask, [N, H, W, 1]: 1 inside. */
  readonly m: Tensor;
}

/** @returns [N, H, W, C] */
export const s2amCompose = (
  { l, x, gates, m }: S2amComposeInputs,
  attrs: ActivationAttrs = {},
  options?: ApplyOptions,
): Tensor => apply(s2amComposeOp, [l, x, gates, m], attrs, options);
