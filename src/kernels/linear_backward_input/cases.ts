import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { linearBackwardInputOp } from "./op.js";

/** Rows named as the layer's: [N]x[K]-[M]. */
const row = (n: number, k: number, m: number, timed = false): OpCase<object> => ({
  name: `${n}x${k}-${m}`,
  shapes: [
    [n, m],
    [k, m],
  ],
  attrs: {},
  timed,
});

export const linearBackwardInputSuite = defineSuite<object>({
  op: linearBackwardInputOp,
  oracle(inputs) {
    const [dy, w] = [given(inputs, 0), given(inputs, 1)];
    const [n = 0, m = 0] = dy.shape;
    const [k = 0] = w.shape;
    const element = (i: number): readonly [number, number] => {
      let [sum, magnitude] = [0, 0];
      for (let j = 0; j < m; j++) {
        const term = at(dy.data, Math.floor(i / k) * m + j) * at(w.data, (i % k) * m + j);
        sum += term;
        magnitude += Math.abs(term);
      }
      return [sum, magnitude];
    };
    return [oracleOf([n, k], m, element)];
  },
  cases: [row(1, 1, 1), row(2, 7, 5), row(3, 33, 17), row(4, 256, 8), row(4, 1024, 32, true), row(4, 2048, 512, true)],
  random: (draw) => row(draw(1, 4), draw(1, 70), draw(1, 40)),
});
