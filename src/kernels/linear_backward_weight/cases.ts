import { at, defineSuite, given, type OpCase, type Oracle, oracleOf } from "../suite.js";
import { type LinearBackwardWeightAttrs, linearBackwardWeightOp } from "./op.js";

/** Rows named as the layer's: [N]x[K]-[M]. */
const row = (n: number, k: number, m: number, bias: boolean, timed = false): OpCase<LinearBackwardWeightAttrs> => ({
  name: `${n}x${k}-${m}${bias ? "_bias" : ""}`,
  shapes: [
    [n, k],
    [n, m],
  ],
  attrs: { bias },
  timed,
});

export const linearBackwardWeightSuite = defineSuite<LinearBackwardWeightAttrs>({
  op: linearBackwardWeightOp,
  oracle(inputs, { bias }) {
    const [x, dy] = [given(inputs, 0), given(inputs, 1)];
    const [n = 0, k = 0] = x.shape;
    const [, m = 0] = dy.shape;
    const over = (termOf: (image: number) => number) => {
      const terms = Array.from({ length: n }, (_, image) => termOf(image));
      return [terms.reduce((a, b) => a + b, 0), terms.reduce((a, b) => a + Math.abs(b), 0)] as const;
    };
    const dw: Oracle["element"] = (i) =>
      over((image) => at(x.data, image * k + Math.floor(i / m)) * at(dy.data, image * m + (i % m)));
    const dBias: Oracle["element"] = (i) => over((image) => at(dy.data, image * m + i));
    return [oracleOf([k, m], n, dw), ...(bias ? [oracleOf([m], n, dBias)] : [])];
  },
  cases: [
    row(1, 1, 1, true),
    row(2, 7, 5, false),
    row(3, 33, 17, true),
    row(16, 64, 8, true),
    row(4, 1024, 32, true, true),
    row(4, 2048, 512, true, true),
  ],
  random: (draw) => row(draw(1, 9), draw(1, 70), draw(1, 40), draw(0, 1) === 0),
});
