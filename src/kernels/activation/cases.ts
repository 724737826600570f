import type { Shape } from "../../graph/tensor.js";
import { type ActivationAttrs, activate, activationError } from "../activation.js";
import { at, type Draw, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { activationOp } from "./op.js";

const row = (shape: Shape, attrs: ActivationAttrs, timed = false): OpCase<ActivationAttrs> => ({
  name: `${shape.join("x")}_${attrs.activation}`,
  shapes: [shape],
  attrs,
  timed,
});

const LEAKY = { activation: "leaky_relu", slope: 0.2 } as const;
const KINDS: readonly ActivationAttrs[] = [
  { activation: "relu" },
  LEAKY,
  { activation: "elu" },
  { activation: "sigmoid" },
  { activation: "tanh" },
];
const kind = (draw: Draw): ActivationAttrs => KINDS[draw(0, KINDS.length - 1)] ?? LEAKY;

export const activationSuite = defineSuite<ActivationAttrs>({
  op: activationOp,
  oracle(inputs, attrs) {
    const x = given(inputs, 0);
    const element = (i: number) => [activate(at(x.data, i), attrs), Math.abs(at(x.data, i))] as const;
    return [oracleOf(x.shape, 1, element, activationError(attrs))];
  },
  cases: [
    ...KINDS.map((attrs) => row([2, 3, 5, 7], attrs)),
    ...KINDS.map((attrs) => row([1, 3, 3, 8], attrs)),
    row([1, 1, 1, 1], LEAKY),
    row([2, 20], { activation: "sigmoid" }),
    row([1, 128, 128, 128], { activation: "relu" }, true),
    row([1, 64, 64, 256], LEAKY, true),
    row([1, 32, 32, 512], { activation: "elu" }, true),
  ],
  random: (draw) => row([draw(1, 2), draw(1, 9), draw(1, 9), draw(1, 24)], kind(draw)),
});
