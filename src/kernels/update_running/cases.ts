import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { type UpdateRunningAttrs, updateRunningOp } from "./op.js";

const row = (channels: number, attrs: UpdateRunningAttrs, open = true): OpCase<UpdateRunningAttrs> => ({
  name: `${channels}_m${attrs.momentum}${open ? "" : "_shut"}`,
  shapes: [[channels], [channels], [2]],
  fill: ["signed", "unit", (unit, i) => (i === 0 ? unit : open ? 1 : 0)],
  attrs,
});

export const updateRunningSuite = defineSuite<UpdateRunningAttrs>({
  op: updateRunningOp,
  oracle(inputs, { momentum, scale }) {
    const [running, statistic, gate] = [given(inputs, 0), given(inputs, 1), given(inputs, 2)];
    const element = (i: number): readonly [number, number] => {
      const before = at(running.data, i);
      if (at(gate.data, 1) === 0) return [before, 0];
      const terms = [(1 - momentum) * before, momentum * scale * at(statistic.data, i)];
      return [at(terms, 0) + at(terms, 1), Math.abs(at(terms, 0)) + Math.abs(at(terms, 1))];
    };
    return [oracleOf(running.shape, 2, element)];
  },
  cases: [
    row(1, { momentum: 0.1, scale: 1 }),
    row(12, { momentum: 0.1, scale: 32 / 31 }),
    row(67, { momentum: 0.25, scale: 1.5 }),
    row(67, { momentum: 0.25, scale: 1.5 }, false),
  ],
  random: (draw) => row(draw(1, 200), { momentum: draw(1, 99) / 100, scale: 1 + 1 / draw(1, 50) }, draw(0, 3) > 0),
});
