import { nhwc } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { s2amComposeBackwardMaskOp } from "./op.js";

function row(n: number, h: number, w: number, c: number, timed = false): OpCase<object> {
  const features = [n, h, w, c];
  return { name: features.join("x"), shapes: [features, features, features, [n, 2 * c]], attrs: {}, timed };
}

export const s2amComposeBackwardMaskSuite = defineSuite<object>({
  op: s2amComposeBackwardMaskOp,
  oracle(inputs) {
    const [dy, l, x] = [given(inputs, 0), given(inputs, 1), given(inputs, 2)];
    const gates = given(inputs, 3);
    const [n, h, w, c] = nhwc("oracle", "x", x.shape);
    const element = (pixel: number): readonly [number, number] => {
      let [sum, magnitude] = [0, 0];
      for (let channel = 0; channel < c; channel++) {
        const [i, gate] = [pixel * c + channel, Math.floor(pixel / (h * w)) * 2 * c + channel];
        const [mixed, background] = [at(x.data, i) * at(gates.data, gate), at(x.data, i) * at(gates.data, gate + c)];
        sum += at(dy.data, i) * (at(l.data, i) + mixed - background);
        magnitude += Math.abs(at(dy.data, i)) * (Math.abs(at(l.data, i)) + Math.abs(mixed) + Math.abs(background));
      }
      return [sum, magnitude];
    };
    return [oracleOf([n, h, w, 1], 3 * c, element)];
  },
  cases: [row(1, 1, 1, 1), row(2, 3, 5, 7), row(1, 8, 8, 16), row(3, 5, 4, 12), row(4, 64, 64, 32, true)],
  random: (draw) => row(draw(1, 3), draw(1, 9), draw(1, 9), draw(0, 1) === 0 ? 4 * draw(1, 6) : draw(1, 19)),
});
