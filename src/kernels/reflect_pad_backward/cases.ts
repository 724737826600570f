import { nhwc, type Shape } from "../../graph/tensor.js";
import { bounce } from "../reflect_pad/cases.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { type ReflectPadBackwardAttrs, reflectPadBackwardOp } from "./op.js";

/** @param shape of the gradient's result */
function row(
  shape: Shape,
  sides: readonly [number, number, number, number],
  timed = false,
): OpCase<ReflectPadBackwardAttrs> {
  const [top, left, bottom, right] = sides;
  const [n = 1, h = 1, w = 1, c = 1] = shape;
  const dy = [n, top + h + bottom, left + w + right, c];
  return { name: `${shape.join("x")}_${sides.join(",")}`, shapes: [dy], attrs: { top, left, bottom, right }, timed };
}

export const reflectPadBackwardSuite = defineSuite<ReflectPadBackwardAttrs>({
  op: reflectPadBackwardOp,
  oracle(inputs, { top, left, bottom, right }) {
    const dy = given(inputs, 0);
    const [n, oh, ow, c] = nhwc("oracle", "dy", dy.shape);
    const [h, w] = [oh - top - bottom, ow - left - right];
    const imagesOf = (i: number, before: number, size: number, out: number): number[] =>
      Array.from({ length: out }, (_, o) => o).filter((o) => bounce(o - before, size) === i);
    const element = (i: number): readonly [number, number] => {
      const pixel = Math.floor(i / c);
      const [column, line, image] = [pixel % w, Math.floor(pixel / w) % h, Math.floor(pixel / (w * h))];
      let [sum, magnitude] = [0, 0];
      for (const y of imagesOf(line, top, h, oh)) {
        for (const x of imagesOf(column, left, w, ow)) {
          const value = at(dy.data, ((image * oh + y) * ow + x) * c + (i % c));
          sum += value;
          magnitude += Math.abs(value);
        }
      }
      return [sum, magnitude];
    };
    return [oracleOf([n, h, w, c], oh * ow, element)];
  },
  cases: [
    row([1, 1, 1, 1], [3, 2, 0, 5]),
    row([2, 3, 5, 3], [1, 2, 2, 4]),
    row([1, 2, 3, 4], [7, 0, 5, 11]),
    row([1, 7, 6, 8], [0, 0, 1, 2]),
    row([1, 300, 200, 4], [0, 0, 212, 312], true),
  ],
  random: (draw) =>
    row([draw(1, 2), draw(1, 7), draw(1, 7), draw(1, 8)], [draw(0, 9), draw(0, 9), draw(0, 9), draw(0, 9)]),
});
