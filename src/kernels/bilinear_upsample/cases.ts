import { nhwc } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { type BilinearUpsampleAttrs, bilinearUpsampleOp } from "./op.js";

const row = (
  n: number,
  h: number,
  w: number,
  c: number,
  alignCorners: boolean,
  timed = false,
): OpCase<BilinearUpsampleAttrs> => ({
  name: `${n}x${h}x${w}x${c}${alignCorners ? "_align" : ""}`,
  shapes: [[n, h, w, c]],
  attrs: { alignCorners },
  timed,
});

/** The two input pixels that output pixel `o` of an axis reads, and the weight of the second. */
export function placeOf(o: number, size: number, alignCorners: boolean) {
  const place = alignCorners ? (o * (size - 1)) / (2 * size - 1) : Math.max((o + 0.5) / 2 - 0.5, 0);
  const first = Math.floor(place);
  return { first, second: Math.min(first + 1, size - 1), weight: place - first };
}

export const bilinearUpsampleSuite = defineSuite<BilinearUpsampleAttrs>({
  op: bilinearUpsampleOp,
  oracle(inputs, { alignCorners }) {
    const x = given(inputs, 0);
    const [n, h, w, c] = nhwc("oracle", "x", x.shape);
    const element = (i: number) => {
      const pixel = Math.floor(i / c);
      const [column, line, image] = [
        pixel % (2 * w),
        Math.floor(pixel / (2 * w)) % (2 * h),
        Math.floor(pixel / (4 * h * w)),
      ];
      const [across, down] = [placeOf(column, w, alignCorners), placeOf(line, h, alignCorners)];
      const load = (y: number, x_: number): number => at(x.data, ((image * h + y) * w + x_) * c + (i % c));
      const terms = [
        (1 - down.weight) * (1 - across.weight) * load(down.first, across.first),
        (1 - down.weight) * across.weight * load(down.first, across.second),
        down.weight * (1 - across.weight) * load(down.second, across.first),
        down.weight * across.weight * load(down.second, across.second),
      ];
      const magnitude = terms.reduce((sum, term) => sum + Math.abs(term), 0);
      return [terms.reduce((sum, term) => sum + term, 0), magnitude] as const;
    };
    return [oracleOf([n, 2 * h, 2 * w, c], 4, element)];
  },
  cases: [
    row(1, 1, 1, 1, true),
    row(1, 1, 1, 1, false),
    row(2, 3, 5, 7, true),
    row(2, 3, 5, 7, false),
    row(1, 8, 8, 4, true),
    row(1, 1, 6, 8, false),
    row(1, 128, 128, 1, true, true),
    row(1, 64, 64, 128, false, true),
  ],
  random: (draw) => row(draw(1, 2), draw(1, 9), draw(1, 9), draw(1, 12), draw(0, 1) === 1),
});
