import { nhwc } from "../../graph/tensor.js";
import { defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { channelPoolOp } from "./op.js";

const row = (n: number, h: number, w: number, c: number, timed = false): OpCase<object> => ({
  name: `${n}x${h}x${w}x${c}`,
  shapes: [[n, h, w, c]],
  attrs: {},
  timed,
});

export const channelPoolSuite = defineSuite<object>({
  op: channelPoolOp,
  oracle(inputs) {
    const x = given(inputs, 0);
    const [n, h, w, c] = nhwc("oracle", "x", x.shape);
    const element = (i: number): readonly [number, number] => {
      const pixel = Math.floor(i / 2);
      const channels = x.data.subarray(pixel * c, (pixel + 1) * c);
      if (i % 2 === 1) return [channels.reduce((largest, value) => Math.max(largest, value)), 0];
      const sum = channels.reduce((total, value) => total + value, 0);
      return [sum / c, channels.reduce((total, value) => total + Math.abs(value), 0) / c];
    };
    return [oracleOf([n, h, w, 2], c, element)];
  },
  cases: [
    row(1, 1, 1, 1),
    row(2, 3, 5, 7),
    row(1, 8, 8, 16),
    row(1, 5, 3, 36),
    row(1, 128, 128, 128, true),
    row(1, 64, 64, 256, true),
    row(1, 32, 32, 512, true),
  ],
  random: (draw) => row(draw(1, 3), draw(1, 9), draw(1, 9), draw(0, 1) === 0 ? 4 * draw(1, 9) : draw(1, 19)),
});
