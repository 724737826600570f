import { nhwc } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { channelPoolBackwardOp } from "./op.js";

interface RowOptions {
  readonly timed?: boolean;
  /** Many channels share the largest value. */
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
  shapes: [
    [n, h, w, 2],
    [n, h, w, c],
  ],
  attrs: {},
  fill: ["signed", ties ? "binary" : "signed"],
  timed,
});

export const channelPoolBackwardSuite = defineSuite<object>({
  op: channelPoolBackwardOp,
  oracle(inputs) {
    const [dy, x] = [given(inputs, 0), given(inputs, 1)];
    const [, , , c] = nhwc("oracle", "x", x.shape);
    const element = (i: number) => {
      const pixel = Math.floor(i / c);
      const channels = x.data.subarray(pixel * c, (pixel + 1) * c);
      const winner = channels.indexOf(Math.max(...channels));
      const [mean, maximum] = [at(dy.data, 2 * pixel) / c, i % c === winner ? at(dy.data, 2 * pixel + 1) : 0];
      return [mean + maximum, Math.abs(mean) + Math.abs(maximum)] as const;
    };
    return [oracleOf(x.shape, 2, element)];
  },
  cases: [
    row(1, 1, 1, 1),
    row(2, 3, 5, 7),
    row(1, 8, 8, 16),
    row(1, 5, 3, 36, { ties: true }),
    row(4, 64, 64, 64, { timed: true }),
  ],
  random: (draw) => row(draw(1, 3), draw(1, 9), draw(1, 9), draw(1, 19), { ties: draw(0, 1) === 0 }),
});
