import type { Shape } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { type Conv2dBackwardWeightAttrs, conv2dBackwardWeightOp } from "./op.js";

/** Rows named as the convolution's: [N]x[H]x[W]x[C_in]-[C_out]_k[kernel]s[stride]p[padding]. */
function row(
  [n, h, w, cIn, cOut]: readonly [number, number, number, number, number],
  [k, stride, padding]: readonly [number, number, number],
  { reluDy = false, timed = false }: { reluDy?: boolean; timed?: boolean } = {},
): OpCase<Conv2dBackwardWeightAttrs> {
  const out = (size: number): number => Math.floor((size + 2 * padding - k) / stride) + 1;
  const dy: Shape = [n, out(h), out(w), cOut];
  return {
    name: `${n}x${h}x${w}x${cIn}-${cOut}_k${k}s${stride}p${padding}${reluDy ? "_relu" : ""}`,
    shapes: [[n, h, w, cIn], dy],
    attrs: { kernel: [k, k], stride, padding, reluDy },
    timed,
  };
}

const K3 = [3, 1, 1] as const;
const K4 = [4, 2, 1] as const;

export const conv2dBackwardWeightSuite = defineSuite<Conv2dBackwardWeightAttrs>({
  op: conv2dBackwardWeightOp,
  oracle(inputs, { kernel: [r, s], stride, padding, reluDy = false }) {
    const [x, dy] = [given(inputs, 0), given(inputs, 1)];
    const [n = 0, h = 0, w = 0, c = 0] = x.shape;
    const [, oh = 0, ow = 0, k = 0] = dy.shape;
    const element = (i: number): readonly [number, number] => {
      const [oc, ic] = [i % k, Math.floor(i / k) % c];
      const tap = Math.floor(i / (k * c));
      const [ky, kx] = [Math.floor(tap / s), tap % s];
      let [sum, magnitude] = [0, 0];
      for (let pixel = 0; pixel < n * oh * ow; pixel++) {
        const iy = (Math.floor(pixel / ow) % oh) * stride + ky - padding;
        const ix = (pixel % ow) * stride + kx - padding;
        if (iy < 0 || iy >= h || ix < 0 || ix >= w) continue;
        const d = at(dy.data, pixel * k + oc);
        const term =
          at(x.data, ((Math.floor(pixel / (oh * ow)) * h + iy) * w + ix) * c + ic) * (reluDy ? Math.max(d, 0) : d);
        sum += term;
        magnitude += Math.abs(term);
      }
      return [sum, magnitude];
    };
    return [oracleOf([r, s, c, k], n * oh * ow, element)];
  },
  cases: [
    row([1, 1, 1, 1, 1], [1, 1, 0]),
    row([2, 5, 7, 3, 5], K3),
    row([1, 8, 8, 8, 16], K3),
    row([2, 6, 10, 4, 24], K4),
    row([1, 4, 4, 32, 40], K4, { reluDy: true }),
    row([1, 2, 2, 16, 16], K4, { reluDy: true }),
    row([3, 5, 4, 7, 9], [3, 2, 0]),
    row([1, 12, 12, 2, 16], [7, 1, 3]),
    row([2, 9, 13, 24, 20], K3, { reluDy: true }),
    // For real GPUs: Winograd's form in two images, and pixels cut into slices.
    row([2, 7, 9, 12, 20], K3, { reluDy: true }),
    row([2, 24, 23, 8, 12], K3),
    row([1, 9, 14, 12, 8], K4),
    row([3, 7, 9, 8, 12], K4), // a row of x that no output pixel begins at, between images
    // More tiles than a band of Winograd's form holds.
    row([1, 397, 601, 2, 2], K3),
    // The convolutions of S2AD with 16 base channels at 128 x 128, batch 4.
    row([4, 64, 64, 32, 64], K3, { timed: true }),
    row([4, 64, 64, 64, 32], K3, { timed: true }),
    row([4, 32, 32, 64, 128], K3, { timed: true }),
    row([4, 16, 16, 128, 256], K3, { timed: true }),
    row([4, 128, 128, 4, 16], K4, { timed: true }),
    row([4, 64, 64, 16, 32], K4, { timed: true }),
    row([4, 16, 16, 64, 128], K4, { timed: true }),
    row([4, 4, 4, 128, 128], K4, { timed: true }),
    row([4, 2, 2, 128, 128], K4, { reluDy: true, timed: true }),
    row([4, 128, 128, 3, 32], K4, { reluDy: true, timed: true }),
  ],
  random(draw) {
    const k = draw(1, 4);
    const stride = draw(1, 3);
    const padding = draw(0, Math.floor(k / 2));
    const size = () => k + draw(0, 9);
    const cIn = draw(0, 1) === 0 ? 8 * draw(1, 3) : draw(1, 9);
    const cOut = draw(0, 1) === 0 ? 8 * draw(1, 4) : draw(1, 11);
    return row([draw(1, 2), size(), size(), cIn, cOut], [k, stride, padding], { reluDy: draw(0, 1) === 1 });
  },
});
