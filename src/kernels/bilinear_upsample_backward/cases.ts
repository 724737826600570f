import { nhwc } from "../../graph/tensor.js";
import { placeOf } from "../bilinear_upsample/cases.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { type BilinearUpsampleBackwardAttrs, bilinearUpsampleBackwardOp } from "./op.js";

/** @param h, w of the gradient's result */
const row = (
  n: number,
  h: number,
  w: number,
  c: number,
  alignCorners: boolean,
  timed = false,
): OpCase<BilinearUpsampleBackwardAttrs> => ({
  name: `${n}x${h}x${w}x${c}${alignCorners ? "_align" : ""}`,
  shapes: [[n, 2 * h, 2 * w, c]],
  attrs: { alignCorners },
  timed,
});

export const bilinearUpsampleBackwardSuite = defineSuite<BilinearUpsampleBackwardAttrs>({
  op: bilinearUpsampleBackwardOp,
  oracle(inputs, { alignCorners }) {
    const dy = given(inputs, 0);
    const [n, oh, ow, c] = nhwc("oracle", "dy", dy.shape);
    const [h, w] = [oh / 2, ow / 2];
    /** Output pixels of an axis that read pixel i, with their weights: found by asking every one. */
    const readersOf = (i: number, size: number) =>
      Array.from({ length: 2 * size }, (_, o) => {
        const { first, second, weight } = placeOf(o, size, alignCorners);
        return { o, share: (first === i ? 1 - weight : 0) + (second === i ? weight : 0) };
      }).filter(({ share }) => share > 0);
    const element = (i: number): readonly [number, number] => {
      const pixel = Math.floor(i / c);
      const [column, line, image] = [pixel % w, Math.floor(pixel / w) % h, Math.floor(pixel / (w * h))];
      let [sum, magnitude] = [0, 0];
      for (const down of readersOf(line, h)) {
        for (const across of readersOf(column, w)) {
          const value = down.share * across.share * at(dy.data, ((image * oh + down.o) * ow + across.o) * c + (i % c));
          sum += value;
          magnitude += Math.abs(value);
        }
      }
      return [sum, magnitude];
    };
    return [oracleOf([n, h, w, c], 16, element)];
  },
  cases: [
    row(1, 1, 1, 1, true),
    row(1, 1, 1, 1, false),
    row(2, 3, 5, 7, true),
    row(2, 3, 5, 7, false),
    row(1, 8, 8, 4, true),
    row(1, 1, 6, 8, false),
    row(1, 2, 7, 3, true),
    row(1, 64, 64, 128, false, true),
  ],
  random: (draw) => row(draw(1, 2), draw(1, 9), draw(1, 9), draw(1, 12), draw(0, 1) === 1),
});
