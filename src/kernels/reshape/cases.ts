import type { Shape } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { type ReshapeAttrs, reshapeOp } from "./op.js";

const row = (from: Shape, shape: Shape, timed = false): OpCase<ReshapeAttrs> => ({
  name: `${from.join("x")}-${shape.join("x")}`,
  shapes: [from],
  attrs: { shape },
  timed,
});

export const reshapeSuite = defineSuite<ReshapeAttrs>({
  op: reshapeOp,
  oracle(inputs, { shape }) {
    const x = given(inputs, 0);
    return [oracleOf(shape, 1, (i) => [at(x.data, i), 0])];
  },
  cases: [
    row([1, 1, 1, 1], [1]),
    row([2, 3, 5, 7], [2, 105]),
    row([1, 4, 4, 8], [4, 32]),
    row([3, 12], [3, 1, 1, 12]),
    row([1, 128, 128, 128], [128, 16384], true),
  ],
  random(draw) {
    const [a, b, c, d] = [draw(1, 3), draw(1, 7), draw(1, 7), draw(1, 12)];
    return draw(0, 1) === 0 ? row([a, b, c, d], [a, d, b, c]) : row([a * b, c * d], [a, b, d, c]);
  },
});
