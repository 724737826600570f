import { nhwc } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, type Oracle, oracleOf } from "../suite.js";
import { channelGateBackwardOp } from "./op.js";

function row(n: number, h: number, w: number, c: number, { timed = false, adds = false } = {}): OpCase<object> {
  const features = [n, h, w, c];
  const shapes = [features, features, [n, c], ...(adds ? [features] : [])];
  return { name: `${features.join("x")}${adds ? "_adds" : ""}`, shapes, attrs: {}, timed };
}

export const channelGateBackwardSuite = defineSuite<object>({
  op: channelGateBackwardOp,
  oracle(inputs) {
    const [dy, x, g] = [given(inputs, 0), given(inputs, 1), given(inputs, 2)];
    const [n, h, w, c] = nhwc("oracle", "x", x.shape);
    const dx: Oracle["element"] = (i) => {
      const value = at(dy.data, i) * at(g.data, Math.floor(i / (h * w * c)) * c + (i % c));
      const addend = inputs[3] ? at(inputs[3].data, i) : 0;
      return [value + addend, Math.abs(value) + Math.abs(addend)];
    };
    const dg: Oracle["element"] = (i) => {
      let [sum, magnitude] = [0, 0];
      for (let pixel = 0; pixel < h * w; pixel++) {
        const place = (Math.floor(i / c) * h * w + pixel) * c + (i % c);
        const term = at(dy.data, place) * at(x.data, place);
        sum += term;
        magnitude += Math.abs(term);
      }
      return [sum, magnitude];
    };
    return [oracleOf(x.shape, 2, dx), oracleOf([n, c], h * w, dg)];
  },
  cases: [
    row(1, 1, 1, 1),
    row(2, 3, 5, 7),
    row(1, 8, 8, 16),
    row(3, 5, 4, 12),
    row(2, 5, 4, 12, { adds: true }),
    row(4, 64, 64, 32, { timed: true }),
    row(4, 32, 32, 64, { timed: true }),
    row(4, 16, 16, 128, { timed: true }),
  ],
  random: (draw) =>
    row(draw(1, 3), draw(1, 9), draw(1, 9), draw(0, 1) === 0 ? 4 * draw(1, 6) : draw(1, 19), {
      adds: draw(0, 1) === 0,
    }),
});
