import { nhwc } from "../../graph/tensor.js";
import { at, defineSuite, type Fill, given, type OpCase, oracleOf } from "../suite.js";
import { type MaskPoolAttrs, maskPoolOp } from "./op.js";

const row = (
  n: number,
  h: number,
  w: number,
  stride: number,
  fill: Fill = "binary",
  timed = false,
): OpCase<MaskPoolAttrs> => ({
  name: `${n}x${h}x${w}x1_s${stride}${fill === "unit" ? "_soft" : ""}`,
  shapes: [[n, h, w, 1]],
  attrs: { stride },
  fill: [fill],
  timed,
});

function halfToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

export const maskPoolSuite = defineSuite<MaskPoolAttrs>({
  op: maskPoolOp,
  oracle(inputs, { stride }) {
    const mask = given(inputs, 0);
    const [n, h, w] = nhwc("oracle", "mask", mask.shape);
    const [oh, ow] = [h / stride, w / stride];
    const element = (i: number): readonly [number, number] => {
      const [column, line, image] = [i % ow, Math.floor(i / ow) % oh, Math.floor(i / (ow * oh))];
      const corner = (image * h + line * stride) * w + column * stride;
      const [a, b, c, d] = [corner, corner + 1, corner + w, corner + w + 1].map((index) => at(mask.data, index));
      return [halfToEven(((a ?? 0) + (b ?? 0) + (c ?? 0) + (d ?? 0)) / 4), 0];
    };
    return [oracleOf([n, oh, ow, 1], 1, element)];
  },
  gradient: { inputs: [] },
  cases: [
    row(1, 2, 2, 2),
    row(2, 8, 12, 2),
    row(1, 16, 16, 4),
    row(2, 16, 8, 8),
    row(1, 15, 9, 3),
    row(1, 16, 16, 2, "unit"),
    row(1, 256, 256, 2, "binary", true),
    row(1, 256, 256, 4, "binary", true),
    row(1, 256, 256, 8, "binary", true),
  ],
  random(draw) {
    const stride = draw(2, 8);
    return row(draw(1, 3), stride * draw(1, 7), stride * draw(1, 7), stride);
  },
});
