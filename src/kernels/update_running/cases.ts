import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { type UpdateRunningAttrs, updateRunningOp } from "./op.js";

const row = (channels: number, attrs: UpdateRunningAttrs, open = true): OpCase<UpdateRunningAttrs> => ({
  name: `${channels}_m${attrs.momentum}${open ? "" : "_shut"}`,
  shapes: [[channels], [channels], [2], [channels]],
  fill: ["signed", "unit", (unit, i) => (i === 0 ? unit : open ? 1 : 0), "unit"],
  attrs,
});

export const updateRunningSuite = defineSuite<UpdateRunningAttrs>({
  op: updateRunningOp,
  oracle(inputs, { momentum }) {
    const [running, statistic, gate, scale] = [0, 1, 2, 3].map((i) => given(inputs, i).data) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const element = (i: number): readonly [number, number] => {
      const before = at(running, i);
      if (at(gate, 1) === 0) return [before, 0];
      const terms = [(1 - momentum) * before, momentum * at(scale, i) * at(statistic, i)];
      return [at(terms, 0) + at(terms, 1), Math.abs(at(terms, 0)) + Math.abs(at(terms, 1))];
    };
    return [oracleOf([running.length], 2, element)];
  },
  cases: [
    row(1, { momentum: 0.1 }),
    row(12, { momentum: 0.1 }),
    row(67, { momentum: 0.25 }),
    row(67, { momentum: 0.25 }, false),
  ],
  random: (draw) => row(draw(1, 200), { momentum: draw(1, 99) / 100 }, draw(0, 3) > 0),
});
