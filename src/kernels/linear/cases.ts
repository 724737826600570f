import { type ActivationAttrs, activate, activationError } from "../activation.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { linearOp } from "./op.js";

interface RowOptions extends ActivationAttrs {
  readonly bias?: boolean;
  readonly timed?: boolean;
}

function row(
  n: number,
  k: number,
  m: number,
  { bias = true, timed = false, ...attrs }: RowOptions = {},
): OpCase<ActivationAttrs> {
  return {
    name: `${n}x${k}-${m}${bias ? "_bias" : ""}${attrs.activation ? `_${attrs.activation}` : ""}`,
    shapes: [[n, k], [k, m], bias ? [m] : null],
    attrs,
    timed,
  };
}

export const linearSuite = defineSuite<ActivationAttrs>({
  op: linearOp,
  oracle(inputs, attrs) {
    const [x, w] = [given(inputs, 0), given(inputs, 1)];
    const [n = 0, k = 0] = x.shape;
    const [, m = 0] = w.shape;
    const element = (i: number) => {
      let sum = inputs[2] ? at(inputs[2].data, i % m) : 0;
      let magnitude = Math.abs(sum);
      for (let j = 0; j < k; j++) {
        const term = at(x.data, Math.floor(i / m) * k + j) * at(w.data, j * m + (i % m));
        sum += term;
        magnitude += Math.abs(term);
      }
      return [activate(sum, attrs), magnitude] as const;
    };
    return [oracleOf([n, m], k + 1, element, activationError(attrs))];
  },
  cases: [
    row(1, 1, 1),
    row(2, 7, 5, { bias: false }),
    row(1, 16, 1, { activation: "relu" }),
    row(3, 17, 33, { activation: "sigmoid" }),
    row(1, 256, 8, { activation: "relu" }),
    row(1, 256, 8, { activation: "relu", timed: true }),
    row(1, 8, 128, { activation: "sigmoid", timed: true }),
    row(1, 512, 16, { activation: "relu", timed: true }),
    row(1, 16, 256, { activation: "sigmoid", timed: true }),
    row(1, 1024, 32, { activation: "relu", timed: true }),
    row(1, 32, 512, { activation: "sigmoid", timed: true }),
    row(1, 2048, 512, { timed: true }),
  ],
  random: (draw) => row(draw(1, 3), draw(1, 70), draw(1, 40), { bias: draw(0, 1) === 1 }),
});
