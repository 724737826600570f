import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { blendOp } from "./op.js";

function row(n: number, h: number, w: number, c: number, timed = false): OpCase<object> {
  const image = [n, h, w, c];
  return {
    name: `${n}x${h}x${w}x${c}`,
    shapes: [image, image, [n, h, w, 1]],
    attrs: {},
    fill: ["signed", "signed", "unit"],
    timed,
  };
}

export const blendSuite = defineSuite<object>({
  op: blendOp,
  oracle(inputs) {
    const [a, b, m] = [given(inputs, 0), given(inputs, 1), given(inputs, 2)];
    const channels = a.shape.at(-1) ?? 1;
    const element = (i: number) => {
      const inside = at(m.data, Math.floor(i / channels));
      const [left, right] = [inside * at(a.data, i), (1 - inside) * at(b.data, i)];
      return [left + right, Math.abs(left) + Math.abs(right)] as const;
    };
    return [oracleOf(a.shape, 2, element)];
  },
  cases: [
    row(1, 1, 1, 1),
    row(2, 3, 5, 3),
    row(1, 8, 8, 4),
    row(2, 5, 4, 12),
    row(1, 256, 256, 3, true),
    row(1, 128, 128, 128, true),
  ],
  random: (draw) => row(draw(1, 3), draw(1, 9), draw(1, 9), draw(0, 1) === 0 ? 4 * draw(1, 6) : draw(1, 19)),
});
