import type { Shape } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { accumulateGradientOp } from "./op.js";

const row = (shape: Shape, reset = false, timed = false): OpCase<object> => ({
  name: `${shape.join("x")}${reset ? "_reset" : ""}`,
  shapes: [shape, shape, [1]],
  fill: ["signed", "signed", () => (reset ? 1 : 0)],
  attrs: {},
  timed,
});

export const accumulateGradientSuite = defineSuite<object>({
  op: accumulateGradientOp,
  oracle(inputs) {
    const [sum, g] = [given(inputs, 0), given(inputs, 1)];
    const kept = at(given(inputs, 2).data, 0) === 0 ? 1 : 0;
    const element = (i: number): readonly [number, number] => {
      const [before, value] = [kept * at(sum.data, i), at(g.data, i)];
      return [before + value, Math.abs(before) + Math.abs(value)];
    };
    return [oracleOf(sum.shape, 2, element)];
  },
  cases: [row([1]), row([3, 3, 5, 7]), row([37], true), row([1, 1, 16, 12]), row([3, 3, 256, 512], false, true)],
  random: (draw) => row([draw(1, 5), draw(1, 5), draw(1, 20), draw(1, 20)], draw(0, 1) === 1),
});
