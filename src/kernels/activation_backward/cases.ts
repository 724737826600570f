import type { Shape } from "../../graph/tensor.js";
import type { ActivationAttrs } from "../activation.js";
import { at, type Draw, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { activationBackwardOp } from "./op.js";
import { activationDerivative } from "./reference.js";

const KINDS: readonly ActivationAttrs[] = [
  { activation: "relu" },
  { activation: "leaky_relu", slope: 0.2 },
  { activation: "elu" },
  { activation: "sigmoid" },
  { activation: "tanh" },
];

const row = (shape: Shape, attrs: ActivationAttrs, timed = false): OpCase<ActivationAttrs> => ({
  name: `${shape.join("x")}_${attrs.activation}`,
  shapes: [shape, shape],
  attrs,
  timed,
});

const kind = (draw: Draw): ActivationAttrs => KINDS[draw(0, KINDS.length - 1)] ?? {};

export const activationBackwardSuite = defineSuite<ActivationAttrs>({
  op: activationBackwardOp,
  oracle(inputs, attrs) {
    const [dy, y] = [given(inputs, 0), given(inputs, 1)];
    const element = (i: number) => {
      const value = at(dy.data, i) * activationDerivative(at(y.data, i), attrs);
      return [value, Math.abs(at(dy.data, i)) * 2] as const;
    };
    return [oracleOf(dy.shape, 2, element)];
  },
  cases: [
    ...KINDS.map((attrs) => row([2, 3, 5, 7], attrs)),
    ...KINDS.map((attrs) => row([1, 3, 3, 8], attrs)),
    row([4, 64, 64, 64], { activation: "elu" }, true),
  ],
  random: (draw) => row([draw(1, 2), draw(1, 9), draw(1, 9), draw(1, 24)], kind(draw)),
});
