import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { gradientStatisticsPartsOp } from "./op.js";

/** @param parts start and length each */
const row = (size: number, parts: readonly (readonly [number, number])[]): OpCase<object> => ({
  name: `${size}_${parts.map(([start, length]) => `${start}+${length}`).join("_")}`,
  shapes: [[size], [parts.length, 2]],
  attrs: {},
  fill: ["signed", (_, i) => parts[Math.floor(i / 2)]?.[i % 2 === 0 ? 0 : 1] ?? Number.NaN],
});

export const gradientStatisticsPartsSuite = defineSuite<object>({
  op: gradientStatisticsPartsOp,
  oracle(inputs) {
    const [g, parts] = [given(inputs, 0).data, given(inputs, 1).data];
    const element = (i: number): readonly [number, number] => {
      const start = at(parts, 2 * Math.floor(i / 2));
      const values = g.slice(start, start + at(parts, 2 * Math.floor(i / 2) + 1));
      const finite = values.filter(Number.isFinite);
      const sum = finite.reduce((total, value) => total + value * value, 0);
      return i % 2 === 0 ? [sum, sum] : [values.length - finite.length, 0];
    };
    return [oracleOf([parts.length], g.length, element)];
  },
  cases: [
    row(1, [[0, 1]]),
    row(300, [
      [0, 60],
      [64, 130],
      [256, 44],
    ]),
    row(1000, [[3, 997]]),
  ],
  random(draw) {
    const lengths = Array.from({ length: draw(1, 6) }, () => draw(1, 200));
    let start = 0;
    const parts = lengths.map((length) => {
      const part = [start, length] as const;
      start += length + draw(0, 70);
      return part;
    });
    return row(start, parts);
  },
});
