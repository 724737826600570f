import type { Shape } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { concatOp } from "./op.js";

const row = (pixels: Shape, channels: readonly number[], timed = false): OpCase<object> => ({
  name: `${pixels.join("x")}_${channels.join("+")}`,
  shapes: channels.map((c) => [...pixels, c]),
  attrs: {},
  timed,
});

export const concatSuite = defineSuite<object>({
  op: concatOp,
  oracle(inputs) {
    const pixels = given(inputs, 0).shape.slice(0, -1);
    const sources = inputs.flatMap((_, which) => {
      const { data, shape } = given(inputs, which);
      const length = shape.at(-1) ?? 0;
      return Array.from({ length }, (_, c) => ({ data, length, c }));
    });
    const element = (i: number): readonly [number, number] => {
      const source = sources[i % sources.length];
      return [source ? at(source.data, Math.floor(i / sources.length) * source.length + source.c) : Number.NaN, 0];
    };
    return [oracleOf([...pixels, sources.length], 1, element)];
  },
  cases: [
    row([1, 1, 1], [1]),
    row([2, 3, 5], [3, 1]),
    row([1, 4, 4], [8, 4, 12]),
    row([2], [5, 6]),
    row([1, 128, 128], [64, 64], true),
    row([1, 64, 64], [128, 128], true),
    row([1, 32, 32], [256, 256], true),
  ],
  random: (draw) =>
    row(
      [draw(1, 3), draw(1, 7), draw(1, 7)],
      Array.from({ length: draw(1, 4) }, () => draw(1, 9)),
    ),
});
