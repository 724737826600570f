import { drawBatch, TRAINED_SIZES } from "../batch_norm_train/cases.js";
import type { NormAttrs } from "../normalization/forward.js";
import { normBackwardOracle } from "../normalization/reference.js";
import { defineSuite, given, type OpCase } from "../suite.js";
import { batchNormBackwardOp } from "./op.js";

function row(
  size: readonly [n: number, h: number, w: number, c: number],
  attrs: NormAttrs = {},
  { statistics = false, timed = false }: { readonly statistics?: boolean; readonly timed?: boolean } = {},
): OpCase<NormAttrs> {
  const c = [size[3]];
  return {
    name: `${size.join("x")}${attrs.activation ? `_${attrs.activation}` : ""}${statistics ? "_statistics" : ""}`,
    shapes: [size, size, c, c, c, c, statistics ? c : null, statistics ? c : null],
    attrs,
    fill: ["signed", "signed", "signed", "signed", "signed", "unit", "signed", "signed"],
    timed,
  };
}

const LEAKY = { activation: "leaky_relu", slope: 0.2 } as const;
const ELU = { activation: "elu" } as const;

export const batchNormBackwardSuite = defineSuite<NormAttrs>({
  op: batchNormBackwardOp,
  oracle: (inputs, attrs) =>
    normBackwardOracle(
      {
        dy: given(inputs, 0),
        x: given(inputs, 1),
        affine: { weight: given(inputs, 2), bias: given(inputs, 3) },
        mean: given(inputs, 4),
        variance: given(inputs, 5),
        dMean: inputs[6] ?? null,
        dVariance: inputs[7] ?? null,
      },
      "batch",
      attrs,
    ),
  cases: [
    row([2, 3, 5, 7], { eps: 1e-3 }, { statistics: true }),
    row([1, 4, 6, 16], ELU),
    row([1, 1, 2, 1], LEAKY),
    row([3, 5, 4, 8], LEAKY, { statistics: true }),
    row([2, 16, 65, 4], ELU),
    ...TRAINED_SIZES.map((size) => row(size, ELU, { timed: true })),
  ],
  random: (draw) => row(drawBatch(draw), draw(0, 1) === 0 ? ELU : {}, { statistics: draw(0, 1) === 0 }),
});
