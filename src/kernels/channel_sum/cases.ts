import type { Shape } from "../../graph/tensor.js";
import { sizeOf } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { channelSumOp } from "./op.js";

const row = (shape: Shape, timed = false): OpCase<object> => ({
  name: shape.join("x"),
  shapes: [shape],
  attrs: {},
  timed,
});

export const channelSumSuite = defineSuite<object>({
  op: channelSumOp,
  oracle(inputs) {
    const x = given(inputs, 0);
    const c = x.shape.at(-1) ?? 1;
    const pixels = sizeOf(x.shape) / c;
    const element = (i: number): readonly [number, number] => {
      let [sum, magnitude] = [0, 0];
      for (let pixel = 0; pixel < pixels; pixel++) {
        const value = at(x.data, pixel * c + i);
        sum += value;
        magnitude += Math.abs(value);
      }
      return [sum, magnitude];
    };
    return [oracleOf([c], pixels, element)];
  },
  cases: [
    row([1, 1, 1, 1]),
    row([2, 3, 5, 7]),
    row([1, 16, 16, 3]),
    row([5, 12]),
    row([4, 128, 128, 3], true),
    row([4, 64, 64, 64], true),
  ],
  random: (draw) => row([draw(1, 3), draw(1, 11), draw(1, 11), draw(1, 20)]),
});
