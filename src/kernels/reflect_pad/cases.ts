import { nhwc, type Shape } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { type ReflectPadAttrs, reflectPadOp } from "./op.js";

function row(shape: Shape, sides: readonly [number, number, number, number], timed = false): OpCase<ReflectPadAttrs> {
  const [top, left, bottom, right] = sides;
  return { name: `${shape.join("x")}_${sides.join(",")}`, shapes: [shape], attrs: { top, left, bottom, right }, timed };
}

/** Walks back and forth along the axis, a pixel at a time. */
export function bounce(place: number, size: number): number {
  if (size === 1) return 0;
  let [index, step] = [0, 1];
  for (let i = 0; i < Math.abs(place); i++) {
    if (index + step < 0 || index + step >= size) step = -step;
    index += step;
  }
  return index;
}

export const reflectPadSuite = defineSuite<ReflectPadAttrs>({
  op: reflectPadOp,
  oracle(inputs, { top, left, bottom, right }) {
    const x = given(inputs, 0);
    const [n, h, w, c] = nhwc("oracle", "x", x.shape);
    const [oh, ow] = [top + h + bottom, left + w + right];
    const element = (i: number) => {
      const pixel = Math.floor(i / c);
      const [column, line, image] = [pixel % ow, Math.floor(pixel / ow) % oh, Math.floor(pixel / (ow * oh))];
      const from = (image * h + bounce(line - top, h)) * w + bounce(column - left, w);
      return [at(x.data, from * c + (i % c)), 0] as const;
    };
    return [oracleOf([n, oh, ow, c], 1, element)];
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
