import { activate, activationError } from "../activation.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { type BatchNormAttrs, batchNormOp, DEFAULT_EPS } from "./op.js";

function row(
  n: number,
  h: number,
  w: number,
  c: number,
  attrs: BatchNormAttrs = {},
  timed = false,
): OpCase<BatchNormAttrs> {
  return {
    name: `${n}x${h}x${w}x${c}${attrs.activation ? `_${attrs.activation}` : ""}`,
    shapes: [[n, h, w, c], [c], [c], [c], [c]],
    attrs,
    fill: ["signed", "signed", "signed", "signed", "unit"],
    timed,
  };
}

export const batchNormSuite = defineSuite<BatchNormAttrs>({
  op: batchNormOp,
  oracle(inputs, attrs) {
    const [x, weight, bias, mean, variance] = [0, 1, 2, 3, 4].map((i) => given(inputs, i).data) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const eps = Math.fround(attrs.eps ?? DEFAULT_EPS);
    const element = (i: number) => {
      const c = i % weight.length;
      const scale = at(weight, c) / Math.sqrt(at(variance, c) + eps);
      const value = (at(x, i) - at(mean, c)) * scale + at(bias, c);
      const magnitude = (Math.abs(at(x, i)) + Math.abs(at(mean, c))) * Math.abs(scale) + Math.abs(at(bias, c));
      return [activate(value, attrs), magnitude] as const;
    };
    return [oracleOf(given(inputs, 0).shape, 3, element, activationError(attrs))];
  },
  cases: [
    row(1, 1, 1, 1),
    row(2, 3, 5, 7, { eps: 1e-3 }),
    row(1, 4, 6, 16, { activation: "elu" }),
    row(1, 2, 2, 12, { activation: "leaky_relu", slope: 0.2 }),
    row(1, 128, 128, 128, { activation: "elu" }, true),
    row(1, 64, 64, 256, { activation: "elu" }, true),
    row(1, 32, 32, 512, { activation: "elu" }, true),
  ],
  random: (draw) =>
    row(draw(1, 3), draw(1, 9), draw(1, 9), draw(1, 20), draw(0, 1) === 0 ? {} : { activation: "relu", eps: 1e-4 }),
});
