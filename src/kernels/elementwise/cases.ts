import type { OpDefinition } from "../../graph/op.js";
import type { Shape } from "../../graph/tensor.js";
import { type AnySuite, at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { addOp, mulOp } from "./op.js";

const row = (shape: Shape, timed = false): OpCase<object> => ({
  name: shape.join("x"),
  shapes: [shape, shape],
  attrs: {},
  timed,
});

const suite = (
  op: OpDefinition<object>,
  of: (a: number, b: number) => readonly [value: number, magnitude: number],
): AnySuite =>
  defineSuite<object>({
    op,
    oracle(inputs) {
      const [a, b] = [given(inputs, 0), given(inputs, 1)];
      return [oracleOf(a.shape, 1, (i) => of(at(a.data, i), at(b.data, i)))];
    },
    cases: [
      row([1, 1, 1, 1]),
      row([2, 3, 5, 7]),
      row([1, 4, 5, 12]),
      row([3, 10]),
      row([1, 128, 128, 128], true),
      row([1, 64, 64, 256], true),
      row([1, 32, 32, 512], true),
    ],
    random: (draw) => row([draw(1, 3), draw(1, 9), draw(1, 9), draw(1, 24)]),
  });

export const addSuite = suite(addOp, (a, b) => [a + b, Math.abs(a) + Math.abs(b)]);
export const mulSuite = suite(mulOp, (a, b) => [a * b, Math.abs(a * b)]);
