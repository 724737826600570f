import { nhwc, type Shape } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { type CropAttrs, cropOp } from "./op.js";

function row(shape: Shape, box: readonly [number, number, number, number], timed = false): OpCase<CropAttrs> {
  const [top, left, height, width] = box;
  return { name: `${shape.join("x")}_${box.join(",")}`, shapes: [shape], attrs: { top, left, height, width }, timed };
}

export const cropSuite = defineSuite<CropAttrs>({
  op: cropOp,
  oracle(inputs, { top, left, height, width }) {
    const x = given(inputs, 0);
    const [n, h, w, c] = nhwc("oracle", "x", x.shape);
    const element = (i: number) => {
      const pixel = Math.floor(i / c);
      const [column, line, image] = [
        pixel % width,
        Math.floor(pixel / width) % height,
        Math.floor(pixel / (width * height)),
      ];
      return [at(x.data, ((image * h + top + line) * w + left + column) * c + (i % c)), 0] as const;
    };
    return [oracleOf([n, height, width, c], 1, element)];
  },
  cases: [
    row([1, 1, 1, 1], [0, 0, 1, 1]),
    row([2, 5, 7, 3], [1, 2, 3, 4]),
    row([2, 6, 6, 8], [0, 3, 6, 2]),
    row([1, 512, 512, 4], [0, 0, 300, 200], true),
  ],
  random(draw) {
    const [top, left, height, width] = [draw(0, 5), draw(0, 5), draw(1, 6), draw(1, 6)];
    const shape = [draw(1, 2), top + height + draw(0, 3), left + width + draw(0, 3), draw(1, 8)];
    return row(shape, [top, left, height, width]);
  },
});
