import { nhwc } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { globalPoolOp } from "./op.js";

const row = (n: number, h: number, w: number, c: number, timed = false): OpCase<object> => ({
  name: `${n}x${h}x${w}x${c}`,
  shapes: [[n, h, w, c]],
  attrs: {},
  timed,
});

export const globalPoolSuite = defineSuite<object>({
  op: globalPoolOp,
  oracle(inputs) {
    const x = given(inputs, 0);
    const [n, h, w, c] = nhwc("oracle", "x", x.shape);
    const element = (i: number): readonly [number, number] => {
      const [image, channel] = [Math.floor(i / (2 * c)), i % c];
      let [sum, magnitude, largest] = [0, 0, Number.NEGATIVE_INFINITY];
      for (let pixel = 0; pixel < h * w; pixel++) {
        const value = at(x.data, (image * h * w + pixel) * c + channel);
        sum += value;
        magnitude += Math.abs(value);
        largest = Math.max(largest, value);
      }
      return i % (2 * c) < c ? [sum / (h * w), magnitude / (h * w)] : [largest, 0];
    };
    return [oracleOf([n, 2 * c], h * w, element)];
  },
  cases: [
    row(1, 1, 1, 1),
    row(2, 3, 5, 7),
    row(1, 16, 16, 16),
    row(3, 7, 9, 12),
    row(1, 1, 67, 4),
    row(1, 67, 1, 5),
    row(1, 128, 128, 128, true),
    row(1, 64, 64, 256, true),
    row(1, 32, 32, 512, true),
  ],
  random: (draw) => row(draw(1, 3), draw(1, 13), draw(1, 13), draw(0, 1) === 0 ? 4 * draw(1, 9) : draw(1, 19)),
});
