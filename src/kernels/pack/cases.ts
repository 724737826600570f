import type { Shape } from "../../graph/tensor.js";
import { sizeOf } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { type PackAttrs, packOp } from "./op.js";

/** The tensors as close as they may lie; only what they fill is compared, so that the last one ends the pack. */
function row(...shapes: Shape[]): OpCase<PackAttrs> {
  let size = 0;
  const starts = shapes.map((shape) => {
    const start = Math.ceil(size / 64) * 64;
    size = start + sizeOf(shape);
    return start;
  });
  return { name: shapes.map((shape) => shape.join("x")).join("_"), shapes, attrs: { starts, size } };
}

export const packSuite = defineSuite<PackAttrs>({
  op: packOp,
  oracle(inputs, { starts, size }) {
    const element = (i: number): readonly [number, number] => {
      const which = starts.findLastIndex((start) => start <= i);
      const { data } = given(inputs, which);
      const place = i - (starts[which] ?? 0);
      return place < data.length ? [at(data, place), 0] : [0, Number.POSITIVE_INFINITY]; // between the parts: anything
    };
    return [oracleOf([size], 1, element)];
  },
  cases: [row([1]), row([3, 5], [2, 2, 4]), row([64], [128], [7]), row([5], [3, 3, 2, 4], [200])],
  random: (draw) => row(...Array.from({ length: draw(1, 4) }, () => [draw(1, 9), draw(1, 12)])),
});
