import { nhwc } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { gaussianBlurOp } from "./op.js";
import type { GaussianBlurAttrs } from "./problem.js";
import { BLUR_RADIUS, type BlurKernel, blurTaps } from "./taps.js";

const row = (n: number, h: number, w: number, kernel: BlurKernel, timed = false): OpCase<GaussianBlurAttrs> => ({
  name: `${n}x${h}x${w}x1_${kernel}`,
  shapes: [[n, h, w, 1]],
  attrs: { kernel },
  fill: [timed ? "binary" : "signed"],
  timed,
});

/** Mirrored once at either end. */
const mirror = (i: number, size: number): number => (i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i);

export const gaussianBlurSuite = defineSuite<GaussianBlurAttrs>({
  op: gaussianBlurOp,
  oracle(inputs, { kernel }) {
    const x = given(inputs, 0);
    const [, h, w] = nhwc("oracle", "x", x.shape);
    const [radius, taps] = [BLUR_RADIUS[kernel], blurTaps(kernel)];
    const element = (i: number) => {
      const [column, line, image] = [i % w, Math.floor(i / w) % h, Math.floor(i / (w * h))];
      let [sum, magnitude] = [0, 0];
      for (let dy = -radius; dy <= radius; dy++) {
        for (let dx = -radius; dx <= radius; dx++) {
          const index = (image * h + mirror(line + dy, h)) * w + mirror(column + dx, w);
          const term = at(taps, Math.abs(dy)) * at(taps, Math.abs(dx)) * at(x.data, index);
          sum += term;
          magnitude += Math.abs(term);
        }
      }
      return [sum, magnitude] as const;
    };
    return [oracleOf(x.shape, (2 * radius + 1) ** 2, element)];
  },
  cases: [
    row(1, 3, 3, "code"),
    row(1, 4, 4, "paper"),
    row(2, 7, 11, "code"),
    row(2, 5, 13, "paper"),
    row(1, 128, 128, "code", true),
    row(1, 64, 64, "code", true),
    row(1, 32, 32, "code", true),
    row(1, 128, 128, "paper", true),
  ],
  random: (draw) => row(draw(1, 2), draw(4, 15), draw(4, 15), draw(0, 1) === 0 ? "code" : "paper"),
});
