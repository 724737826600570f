import { at, defineSuite, given, type OpCase, type Oracle, oracleOf } from "../suite.js";
import { blendBackwardOp } from "./op.js";

function row(n: number, h: number, w: number, c: number, timed = false): OpCase<object> {
  const image = [n, h, w, c];
  return {
    name: image.join("x"),
    shapes: [image, image, image, [n, h, w, 1]],
    attrs: {},
    fill: ["signed", "signed", "signed", "unit"],
    timed,
  };
}

export const blendBackwardSuite = defineSuite<object>({
  op: blendBackwardOp,
  oracle(inputs) {
    const [dy, a, b, m] = [given(inputs, 0), given(inputs, 1), given(inputs, 2), given(inputs, 3)];
    const c = dy.shape.at(-1) ?? 1;
    const share =
      (of: (inside: number) => number): Oracle["element"] =>
      (i) => [of(at(m.data, Math.floor(i / c))) * at(dy.data, i), Math.abs(at(dy.data, i))];
    const dm: Oracle["element"] = (pixel) => {
      let [sum, magnitude] = [0, 0];
      for (let i = pixel * c; i < (pixel + 1) * c; i++) {
        sum += at(dy.data, i) * (at(a.data, i) - at(b.data, i));
        magnitude += Math.abs(at(dy.data, i)) * (Math.abs(at(a.data, i)) + Math.abs(at(b.data, i)));
      }
      return [sum, magnitude];
    };
    return [
      oracleOf(
        dy.shape,
        1,
        share((inside) => inside),
      ),
      oracleOf(
        dy.shape,
        2,
        share((inside) => 1 - inside),
      ),
      oracleOf(m.shape, 2 * c, dm),
    ];
  },
  cases: [row(1, 1, 1, 1), row(2, 3, 5, 3), row(1, 8, 8, 4), row(2, 5, 4, 12), row(4, 128, 128, 3, true)],
  random: (draw) => row(draw(1, 3), draw(1, 9), draw(1, 9), draw(0, 1) === 0 ? 4 * draw(1, 6) : draw(1, 19)),
});
