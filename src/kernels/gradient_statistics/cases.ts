import { type Shape, sizeOf } from "../../graph/tensor.js";
import { defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { gradientStatisticsOp } from "./op.js";

const row = (shape: Shape, timed = false): OpCase<object> => ({
  name: shape.join("x"),
  shapes: [shape],
  attrs: {},
  timed,
});

export const gradientStatisticsSuite = defineSuite<object>({
  op: gradientStatisticsOp,
  oracle(inputs) {
    const { data, shape } = given(inputs, 0);
    const finite = data.filter(Number.isFinite);
    const sum = finite.reduce((total, value) => total + value * value, 0);
    const element = (i: number): readonly [number, number] => (i === 0 ? [sum, sum] : [data.length - finite.length, 0]);
    return [oracleOf([2], sizeOf(shape) + 1, element)];
  },
  cases: [row([1]), row([3, 3, 5, 7]), row([37]), row([1, 1, 64, 12]), row([3, 3, 256, 512], true)],
  random: (draw) => row([draw(1, 5), draw(1, 5), draw(1, 40), draw(1, 40)]),
});
