import { sizeOf } from "../../graph/tensor.js";
import { gaussianBlurSuite } from "../gaussian_blur/cases.js";
import type { BlurKernel } from "../gaussian_blur/taps.js";
import { maskPoolSuite } from "../mask_pool/cases.js";
import { defineSuite, type HostArray, type OpCase } from "../suite.js";
import { type LevelMaskAttrs, levelMaskOp } from "./op.js";

/** @param h rows of the result @param w its columns */
const row = (
  [n, h, w]: readonly [number, number, number],
  stride: number,
  kernel: BlurKernel,
  timed = false,
): OpCase<LevelMaskAttrs> => ({
  name: `${n}x${h * stride}x${w * stride}x1_s${stride}_${kernel}`,
  shapes: [[n, h * stride, w * stride, 1]],
  attrs: { stride, kernel },
  fill: ["binary"],
  timed,
});

export const levelMaskSuite = defineSuite<LevelMaskAttrs>({
  op: levelMaskOp,
  /** That of the blur, of what that of the pooling makes. */
  oracle(inputs, attrs) {
    const pooled = maskPoolSuite.oracle(inputs, attrs).map(({ shape, element }): HostArray => {
      return { shape, data: Float64Array.from({ length: sizeOf(shape) }, (_, i) => element(i)[0]) };
    });
    return gaussianBlurSuite.oracle(pooled, attrs);
  },
  gradient: { inputs: [] },
  cases: [
    row([1, 3, 3], 2, "code"),
    row([1, 4, 4], 2, "paper"),
    row([2, 7, 5], 4, "code"),
    row([2, 5, 6], 3, "paper"),
    row([1, 128, 128], 2, "code", true),
    row([1, 32, 32], 8, "code", true),
  ],
  random: (draw) => row([draw(1, 2), draw(4, 13), draw(4, 13)], draw(2, 5), draw(0, 1) === 0 ? "code" : "paper"),
});
