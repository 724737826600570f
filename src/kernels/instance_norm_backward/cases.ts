import { drawImages } from "../instance_norm/cases.js";
import type { NormAttrs } from "../normalization/forward.js";
import { normBackwardOracle } from "../normalization/reference.js";
import { defineSuite, given, type OpCase } from "../suite.js";
import { instanceNormBackwardOp } from "./op.js";

const LEAKY = { activation: "leaky_relu", slope: 0.2 } as const;

function row(
  size: readonly [n: number, h: number, w: number, c: number],
  attrs: NormAttrs = {},
  { statistics = false, timed = false }: { readonly statistics?: boolean; readonly timed?: boolean } = {},
): OpCase<NormAttrs> {
  const c = [size[0], size[3]];
  return {
    name: `${size.join("x")}${attrs.activation ? `_${attrs.activation}` : ""}${statistics ? "_statistics" : ""}`,
    shapes: [size, size, c, c, statistics ? c : null, statistics ? c : null],
    attrs,
    fill: ["signed", "signed", "signed", "unit", "signed", "signed"],
    timed,
  };
}

export const instanceNormBackwardSuite = defineSuite<NormAttrs>({
  op: instanceNormBackwardOp,
  oracle: (inputs, attrs) =>
    normBackwardOracle(
      {
        dy: given(inputs, 0),
        x: given(inputs, 1),
        affine: null,
        mean: given(inputs, 2),
        variance: given(inputs, 3),
        dMean: inputs[4] ?? null,
        dVariance: inputs[5] ?? null,
      },
      "image",
      attrs,
    ),
  cases: [
    row([2, 3, 5, 7], { eps: 1e-3 }, { statistics: true }),
    row([3, 4, 6, 8], LEAKY),
    row([1, 1, 2, 1], LEAKY),
    row([2, 9, 13, 4], LEAKY, { statistics: true }),
    row([4, 32, 32, 128], LEAKY, { timed: true }),
  ],
  random: (draw) => row(drawImages(draw), draw(0, 1) === 0 ? LEAKY : {}, { statistics: draw(0, 1) === 0 }),
});
