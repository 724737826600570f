import { nhwc } from "../../graph/tensor.js";
import type { GaussianBlurAttrs } from "../gaussian_blur/problem.js";
import { BLUR_RADIUS, type BlurKernel, blurTaps } from "../gaussian_blur/taps.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { gaussianBlurBackwardOp } from "./op.js";

const row = (n: number, h: number, w: number, kernel: BlurKernel, timed = false): OpCase<GaussianBlurAttrs> => ({
  name: `${n}x${h}x${w}x1_${kernel}`,
  shapes: [[n, h, w, 1]],
  attrs: { kernel },
  timed,
});

/** Mirrored once at either end. */
const mirror = (i: number, size: number): number => (i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i);

/** How much of each pixel of an axis goes into each output: [output][pixel], written down from the blur itself. */
function axisWeights(size: number, kernel: BlurKernel): Float64Array[] {
  const [radius, taps] = [BLUR_RADIUS[kernel], blurTaps(kernel)];
  return Array.from({ length: size }, (_, output) => {
    const weights = new Float64Array(size);
    for (let d = -radius; d <= radius; d++) {
      const pixel = mirror(output + d, size);
      weights[pixel] = at(weights, pixel) + at(taps, Math.abs(d));
    }
    return weights;
  });
}

export const gaussianBlurBackwardSuite = defineSuite<GaussianBlurAttrs>({
  op: gaussianBlurBackwardOp,
  oracle(inputs, { kernel }) {
    const dy = given(inputs, 0);
    const [, h, w] = nhwc("oracle", "dy", dy.shape);
    const [rows, columns] = [axisWeights(h, kernel), axisWeights(w, kernel)];
    const element = (i: number): readonly [number, number] => {
      const [column, line, image] = [i % w, Math.floor(i / w) % h, Math.floor(i / (w * h))];
      let [sum, magnitude] = [0, 0];
      for (const [r, rowWeights] of rows.entries()) {
        for (const [s, columnWeights] of columns.entries()) {
          const term = at(rowWeights, line) * at(columnWeights, column) * at(dy.data, (image * h + r) * w + s);
          sum += term;
          magnitude += Math.abs(term);
        }
      }
      return [sum, magnitude];
    };
    return [oracleOf(dy.shape, (2 * BLUR_RADIUS[kernel] + 1) ** 2, element)];
  },
  cases: [
    row(1, 3, 3, "code"),
    row(1, 4, 4, "paper"),
    row(2, 7, 11, "code"),
    row(2, 5, 13, "paper"),
    row(4, 64, 64, "code", true),
    row(4, 64, 64, "paper", true),
  ],
  random: (draw) => row(draw(1, 2), draw(4, 15), draw(4, 15), draw(0, 1) === 0 ? "code" : "paper"),
});
