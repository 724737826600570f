import { nhwc } from "../../graph/tensor.js";
import { type ActivationAttrs, activate, activationError } from "../activation.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { s2amComposeOp } from "./op.js";

function row(
  n: number,
  h: number,
  w: number,
  c: number,
  attrs: ActivationAttrs = {},
  timed = false,
): OpCase<ActivationAttrs> {
  const features = [n, h, w, c];
  return {
    name: `${n}x${h}x${w}x${c}${attrs.activation ? `_${attrs.activation}` : ""}`,
    shapes: [features, features, [n, 2 * c], [n, h, w, 1]],
    attrs,
    fill: ["signed", "signed", "unit", "unit"],
    timed,
  };
}

export const s2amComposeSuite = defineSuite<ActivationAttrs>({
  op: s2amComposeOp,
  oracle(inputs, attrs) {
    const x = given(inputs, 1);
    const [, h, w, c] = nhwc("oracle", "x", x.shape);
    const element = (i: number) => {
      const gate = Math.floor(i / (h * w * c)) * 2 * c + (i % c);
      const inside = at(given(inputs, 3).data, Math.floor(i / c));
      const terms = [
        inside * at(given(inputs, 0).data, i),
        inside * at(x.data, i) * at(given(inputs, 2).data, gate),
        (1 - inside) * at(x.data, i) * at(given(inputs, 2).data, gate + c),
      ];
      const value = terms.reduce((sum, term) => sum + term, 0);
      return [activate(value, attrs), terms.reduce((sum, term) => sum + Math.abs(term), 0)] as const;
    };
    return [oracleOf(x.shape, 3, element, activationError(attrs))];
  },
  cases: [
    row(1, 1, 1, 1),
    row(2, 3, 5, 7, { activation: "relu" }),
    row(1, 8, 8, 16),
    row(3, 5, 4, 12, { activation: "leaky_relu", slope: 0.2 }),
    row(1, 128, 128, 128, { activation: "relu" }, true),
    row(1, 64, 64, 256, { activation: "relu" }, true),
    row(1, 32, 32, 512, { activation: "relu" }, true),
  ],
  f16: [{ name: "f16", inputs: [0, 1] }],
  random: (draw) =>
    row(
      draw(1, 3),
      draw(1, 9),
      draw(1, 9),
      draw(0, 1) === 0 ? 4 * draw(1, 6) : draw(1, 19),
      draw(0, 1) === 0 ? {} : { activation: "elu" },
    ),
});
