import type { Shape } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { emaUpdateOp } from "./op.js";

const row = (shape: Shape, open = true, timed = false): OpCase<object> => ({
  name: `${shape.join("x")}${open ? "" : "_shut"}`,
  shapes: [shape, shape, [2], [1]],
  fill: ["signed", "signed", (unit, i) => (i === 0 ? unit : open ? 1 : 0), "unit"],
  attrs: {},
  timed,
});

export const emaUpdateSuite = defineSuite<object>({
  op: emaUpdateOp,
  oracle(inputs) {
    const [ema, param, gate, decays] = [given(inputs, 0), given(inputs, 1), given(inputs, 2), given(inputs, 3)];
    const decay = at(decays.data, 0);
    const element = (i: number): readonly [number, number] => {
      const [before, value] = [at(ema.data, i), at(param.data, i)];
      if (at(gate.data, 1) === 0) return [before, 0];
      return [decay * before + (1 - decay) * value, Math.abs(before) + Math.abs(value)];
    };
    return [oracleOf(ema.shape, 2, element)];
  },
  cases: [row([1]), row([3, 3, 5, 7]), row([37], false), row([1, 1, 16, 12]), row([3, 3, 256, 512], true, true)],
  random: (draw) => row([draw(1, 5), draw(1, 5), draw(1, 20), draw(1, 20)], draw(0, 3) > 0),
});
