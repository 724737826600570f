import { nhwc } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { globalPoolOp } from "./op.js";

interface RowOptions {
  readonly timed?: boolean;
  /** Many pixels share the largest value. */
  readonly ties?: boolean;
}

const row = (
  n: number,
  h: number,
  w: number,
  c: number,
  { timed = false, ties = false }: RowOptions = {},
): OpCase<object> => ({
  name: `${n}x${h}x${w}x${c}${ties ? "_ties" : ""}`,
  shapes: [[n, h, w, c]],
  attrs: {},
  fill: [ties ? "binary" : "signed"],
  timed,
});

export const globalPoolSuite = defineSuite<object>({
  op: globalPoolOp,
  oracle(inputs) {
    const x = given(inputs, 0);
    const [n, h, w, c] = nhwc("oracle", "x", x.shape);
    const pixelsOf = (image: number, channel: number) =>
      Array.from({ length: h * w }, (_, pixel) => at(x.data, (image * h * w + pixel) * c + channel));
    const pooled = (i: number): readonly [number, number] => {
      const values = pixelsOf(Math.floor(i / (2 * c)), i % c);
      if (i % (2 * c) >= c) return [Math.max(...values), 0];
      const magnitude = values.reduce((total, value) => total + Math.abs(value), 0);
      return [values.reduce((total, value) => total + value, 0) / (h * w), magnitude / (h * w)];
    };
    const first = (i: number): readonly [number, number] => {
      const values = pixelsOf(Math.floor(i / c), i % c);
      return [values.indexOf(Math.max(...values)), 0];
    };
    return [oracleOf([n, 2 * c], h * w, pooled), oracleOf([n, c], 1, first)];
  },
  gradient: { terms: 30, smooth: ({ fill }) => fill?.[0] !== "binary" },
  cases: [
    row(1, 1, 1, 1),
    row(2, 3, 5, 7),
    row(1, 16, 16, 16),
    row(3, 7, 9, 12),
    row(1, 1, 67, 4),
    row(1, 67, 1, 5),
    row(2, 9, 5, 8, { ties: true }),
    row(1, 128, 128, 128, { timed: true }),
    row(1, 64, 64, 256, { timed: true }),
    row(1, 32, 32, 512, { timed: true }),
  ],
  f16: [{ name: "f16", inputs: [0] }],
  random: (draw) => row(draw(1, 3), draw(1, 13), draw(1, 13), draw(0, 1) === 0 ? 4 * draw(1, 9) : draw(1, 19)),
});
