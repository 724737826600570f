import { nhwc, type Shape } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { type ZeroPadAttrs, zeroPadOp } from "./op.js";

function row(shape: Shape, sides: readonly [number, number, number, number], timed = false): OpCase<ZeroPadAttrs> {
  const [top, left, bottom, right] = sides;
  return { name: `${shape.join("x")}_${sides.join(",")}`, shapes: [shape], attrs: { top, left, bottom, right }, timed };
}

export const zeroPadSuite = defineSuite<ZeroPadAttrs>({
  op: zeroPadOp,
  oracle(inputs, { top, left, bottom, right }) {
    const x = given(inputs, 0);
    const [n, h, w, c] = nhwc("oracle", "x", x.shape);
    const [oh, ow] = [top + h + bottom, left + w + right];
    const element = (i: number): readonly [number, number] => {
      const pixel = Math.floor(i / c);
      const [column, line, image] = [
        (pixel % ow) - left,
        (Math.floor(pixel / ow) % oh) - top,
        Math.floor(pixel / (ow * oh)),
      ];
      const inside = line >= 0 && line < h && column >= 0 && column < w;
      return [inside ? at(x.data, ((image * h + line) * w + column) * c + (i % c)) : 0, 0];
    };
    return [oracleOf([n, oh, ow, c], 1, element)];
  },
  cases: [
    row([1, 1, 1, 1], [1, 0, 2, 3]),
    row([2, 3, 5, 3], [1, 2, 2, 4]),
    row([2, 6, 2, 8], [0, 3, 0, 1]),
    row([1, 4, 4, 4], [0, 0, 0, 0]),
    row([1, 300, 200, 4], [0, 0, 212, 312], true),
  ],
  random: (draw) =>
    row([draw(1, 2), draw(1, 7), draw(1, 7), draw(1, 8)], [draw(0, 9), draw(0, 9), draw(0, 9), draw(0, 9)]),
});
