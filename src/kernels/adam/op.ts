/** Adam and AdamW as PyTorch steps them, on one parameter in place. */
import { type ApplyOptions, applyAll, defineOp, operand, pass, result, shapeOf } from "../../graph/op.js";
import { showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { adam as shader } from "../../shaders.generated.js";
import { expectShape, present } from "../expect.js";
import { HYPER_SIZE } from "../step_gate/op.js";
import { laneVariants, threads, viewParams } from "../views.js";

export interface AdamAttrs {
  /** AdamW: weights decay by themselves. Else the decay is part of the gradient, as in PyTorch's Adam. */
  readonly decoupled: boolean;
}

export const adamOp = defineOp<AdamAttrs>({
  name: "adam",
  infer([param, g, m, v, hyper, gate]) {
    const shape = present("adam", "param", param);
    for (const [what, spec] of Object.entries({ grad: g, m, v })) {
      expectShape("adam", what, spec, shape, `param ${showShape(shape)}`);
    }
    expectShape("adam", "hyper", hyper, [HYPER_SIZE], "an optimizer");
    expectShape("adam", "gate", gate, [2], "a step");
    return [0, 1, 2].map(() => ({ shape, dtype: "f32" }));
  },
  // Counting the square root and the divisions as one each.
  flops: ([param]) => 16 * sizeOf(shapeOf(param)),
  inPlace: [0, 2, 3],
  variants: laneVariants(
    (p) => [operand(p, 1), result(p, 0), result(p, 1), result(p, 2)],
    (p, { count, consts, types }) => {
      const [g, hyper, gate] = [operand(p, 1), operand(p, 4), operand(p, 5)];
      const [param, mean, square] = [result(p, 0), result(p, 1), result(p, 2)];
      const size = sizeOf(param.shape);
      const step = pass(shader, {
        bind: { g, hyper, gate, param, mean, square },
        overrides: { DECOUPLED: p.attrs.decoupled ? 1 : 0 },
        params: {
          size,
          c: g.shape.at(-1) ?? 1,
          ...viewParams("g", g),
          hyper_offset: hyper.offset,
          gate_offset: gate.offset,
        },
        consts,
        types,
        workgroups: threads(size / count),
      });
      return { passes: [step] };
    },
  ),
});

export interface AdamHyper {
  readonly lr: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly eps?: number;
  readonly weightDecay?: number;
  /** Norm that all gradients together are cut to; 0 leaves them. */
  readonly clipNorm?: number;
}

/**
 * What `adam` and `stepGate` read as `hyper`: [lr, beta1, beta2, eps, weight decay, 1 - beta1^t, 1 - beta2^t, clip norm].
 * @param t the step's number, from 1
 */
export function adamHyper(
  { lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0, clipNorm = 0 }: AdamHyper,
  t: number,
): Float32Array {
  // The corrections belong to the betas as float32 holds them: 1 - 0.999 is off by 1e-5 of itself there.
  const [b1, b2] = [Math.fround(beta1), Math.fround(beta2)];
  return new Float32Array([lr, b1, b2, eps, weightDecay, 1 - b1 ** t, 1 - b2 ** t, clipNorm]);
}

/**
 * @param param, m, v variables of one shape, overwritten: the parameter, the means of the gradient and of its square
 * @param grad of the same shape
 * @param hyper [8]: `adamHyper`
 * @param gate [2] from `stepGate`; where its second number is 0 nothing changes
 * @returns param, m and v after the step
 */
export const adam = (
  param: Tensor,
  grad: Tensor,
  m: Tensor,
  v: Tensor,
  hyper: Tensor,
  gate: Tensor,
  attrs: AdamAttrs,
  options?: ApplyOptions,
): readonly Tensor[] => applyAll(adamOp, [param, grad, m, v, hyper, gate], attrs, options);
