import { nhwc } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, type Oracle, oracleOf } from "../suite.js";
import { s2amComposeBackwardOp } from "./op.js";

function row(n: number, h: number, w: number, c: number, timed = false): OpCase<object> {
  const features = [n, h, w, c];
  return {
    name: features.join("x"),
    shapes: [features, features, [n, 2 * c], [n, h, w, 1]],
    attrs: {},
    fill: ["signed", "signed", "unit", "unit"],
    timed,
  };
}

export const s2amComposeBackwardSuite = defineSuite<object>({
  op: s2amComposeBackwardOp,
  oracle(inputs) {
    const [dy, x, gates, m] = [0, 1, 2, 3].map((i) => given(inputs, i).data) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const { shape } = given(inputs, 1);
    const [n, h, w, c] = nhwc("oracle", "x", shape);
    const inside = (i: number) => at(m, Math.floor(i / c));
    const dl: Oracle["element"] = (i) => [inside(i) * at(dy, i), Math.abs(at(dy, i))];
    const dx: Oracle["element"] = (i) => {
      const gate = Math.floor(i / (h * w * c)) * 2 * c + (i % c);
      const share = inside(i) * at(gates, gate) + (1 - inside(i)) * at(gates, gate + c);
      return [at(dy, i) * share, 2 * Math.abs(at(dy, i))];
    };
    const dGates: Oracle["element"] = (i) => {
      const mixes = i % (2 * c) < c;
      let [sum, magnitude] = [0, 0];
      for (let pixel = 0; pixel < h * w; pixel++) {
        const place = (Math.floor(i / (2 * c)) * h * w + pixel) * c + (i % c);
        sum += (mixes ? inside(place) : 1 - inside(place)) * at(dy, place) * at(x, place);
        magnitude += Math.abs(at(dy, place) * at(x, place));
      }
      return [sum, magnitude];
    };
    return [oracleOf(shape, 2, dl), oracleOf(shape, 3, dx), oracleOf([n, 2 * c], h * w, dGates)];
  },
  cases: [
    row(1, 1, 1, 1),
    row(2, 3, 5, 7),
    row(1, 8, 8, 16),
    row(3, 5, 4, 12),
    row(4, 64, 64, 32, true),
    row(4, 32, 32, 64, true),
    row(4, 16, 16, 128, true),
  ],
  random: (draw) => row(draw(1, 3), draw(1, 9), draw(1, 9), draw(0, 1) === 0 ? 4 * draw(1, 6) : draw(1, 19)),
});
