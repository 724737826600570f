import type { Shape } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { type SliceBackwardAttrs, sliceBackwardOp } from "./op.js";

const row = (shape: Shape, start: number, channels: number, timed = false): OpCase<SliceBackwardAttrs> => ({
  name: `${shape.join("x")}_${start}of${channels}`,
  shapes: [shape],
  attrs: { start, channels },
  timed,
});

export const sliceBackwardSuite = defineSuite<SliceBackwardAttrs>({
  op: sliceBackwardOp,
  oracle(inputs, { start, channels }) {
    const dy = given(inputs, 0);
    const length = dy.shape.at(-1) ?? 1;
    const element = (i: number): readonly [number, number] => {
      const c = (i % channels) - start;
      return [c >= 0 && c < length ? at(dy.data, Math.floor(i / channels) * length + c) : 0, 0];
    };
    return [oracleOf([...dy.shape.slice(0, -1), channels], 1, element)];
  },
  cases: [
    row([1, 1, 1, 1], 0, 1),
    row([2, 3, 5, 1], 3, 4),
    row([1, 4, 4, 8], 4, 16),
    row([3, 5], 2, 7),
    row([4, 128, 128, 3], 0, 4, true),
  ],
  random(draw) {
    const [start, length] = [draw(0, 9), draw(1, 9)];
    return row([draw(1, 3), draw(1, 7), draw(1, 7), length], start, start + length + draw(0, 5));
  },
});
