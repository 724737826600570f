import { type Shape, sizeOf } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { type PartAttrs, partOp } from "./op.js";

const row = (packed: number, start: number, shape: Shape): OpCase<PartAttrs> => ({
  name: `${packed}_${start}_${shape.join("x")}`,
  shapes: [[packed]],
  attrs: { start, shape },
});

export const partSuite = defineSuite<PartAttrs>({
  op: partOp,
  oracle(inputs, { start, shape }) {
    return [oracleOf(shape, 1, (i) => [at(given(inputs, 0).data, start + i), 0])];
  },
  cases: [row(1, 0, [1]), row(200, 64, [3, 5]), row(256, 128, [2, 4, 16]), row(256, 192, [64])],
  random(draw) {
    const [start, shape] = [64 * draw(0, 4), [draw(1, 7), draw(1, 12)]];
    return row(start + sizeOf(shape) + draw(0, 9), start, shape);
  },
});
