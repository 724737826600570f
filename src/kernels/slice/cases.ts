import type { Shape } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { type SliceAttrs, sliceOp } from "./op.js";

const row = (shape: Shape, start: number, length: number, timed = false): OpCase<SliceAttrs> => ({
  name: `${shape.join("x")}_${start}+${length}`,
  shapes: [shape],
  attrs: { start, length },
  timed,
});

export const sliceSuite = defineSuite<SliceAttrs>({
  op: sliceOp,
  oracle(inputs, { start, length }) {
    const x = given(inputs, 0);
    const channels = x.shape.at(-1) ?? 0;
    const element = (i: number) => [at(x.data, Math.floor(i / length) * channels + start + (i % length)), 0] as const;
    return [oracleOf([...x.shape.slice(0, -1), length], 1, element)];
  },
  cases: [
    row([1, 1, 1, 1], 0, 1),
    row([2, 3, 5, 4], 3, 1),
    row([1, 4, 4, 16], 4, 8),
    row([3, 7], 2, 5),
    row([1, 128, 128, 128], 64, 64, true),
  ],
  random(draw) {
    const [start, length] = [draw(0, 9), draw(1, 9)];
    return row([draw(1, 3), draw(1, 7), draw(1, 7), start + length + draw(0, 5)], start, length);
  },
});
