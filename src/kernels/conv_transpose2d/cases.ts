import type { Shape } from "../../graph/tensor.js";
import { activate, activationError } from "../activation.js";
import { FUSED } from "../conv2d/fused.js";
import { at, defineSuite, given, type HostArray, type OpCase, type Oracle, oracleOf } from "../suite.js";
import { type ConvTranspose2dAttrs, convTranspose2dOp } from "./op.js";

/** The transposed convolution in float64, written for reading. */
function oracle(inputs: readonly (HostArray | null)[], attrs: ConvTranspose2dAttrs): readonly Oracle[] {
  const [x, w] = [given(inputs, 0), given(inputs, 1)];
  const bias = inputs[2]?.data;
  const addend = inputs[FUSED.addend]?.data;
  const spec = ({ shape }: { shape: Shape }) => ({ shape, dtype: "f32" as const });
  const [output] = convTranspose2dOp.infer([spec(x), spec(w), inputs[2] ? spec(inputs[2]) : null], attrs);
  const [, oh = 0, ow = 0, cOut = 0] = output?.shape ?? [];
  const [, h = 0, width = 0, cIn = 0] = x.shape;
  const [r = 0, s = 0] = w.shape;
  const { stride, padding, reluInput = false } = attrs;
  const element = (i: number): readonly [number, number] => {
    const oc = i % cOut;
    const pixel = Math.floor(i / cOut);
    const [px, py, n] = [pixel % ow, Math.floor(pixel / ow) % oh, Math.floor(pixel / (ow * oh))];
    let sum = bias ? at(bias, oc) : 0;
    let magnitude = Math.abs(sum);
    if (addend) {
      sum += at(addend, i);
      magnitude += Math.abs(at(addend, i));
    }
    for (let ky = 0; ky < r; ky++) {
      for (let kx = 0; kx < s; kx++) {
        const iy = (py + padding - ky) / stride;
        const ix = (px + padding - kx) / stride;
        if (!Number.isInteger(iy) || !Number.isInteger(ix) || iy < 0 || iy >= h || ix < 0 || ix >= width) continue;
        for (let c = 0; c < cIn; c++) {
          const value = at(x.data, ((n * h + iy) * width + ix) * cIn + c);
          const term = (reluInput ? Math.max(value, 0) : value) * at(w.data, ((ky * s + kx) * cOut + oc) * cIn + c);
          sum += term;
          magnitude += Math.abs(term);
        }
      }
    }
    return [activate(sum, attrs), magnitude];
  };
  return [oracleOf(output?.shape ?? [], r * s * cIn + 2, element, activationError(attrs))];
}

/** Rows named [N]x[H]x[W]x[C_in]-[C_out]_k[kernel]s[stride]p[padding], sizes of the input. */
function row(
  [n, h, w, cIn, cOut]: readonly [number, number, number, number, number],
  [k, stride, padding]: readonly [number, number, number],
  options: Partial<ConvTranspose2dAttrs> & { bias?: boolean; adds?: boolean; timed?: boolean } = {},
): OpCase<ConvTranspose2dAttrs> {
  const { bias = false, adds = false, timed = false, ...attrs } = options;
  const suffix = `${bias ? "_bias" : ""}${attrs.activation ? `_${attrs.activation}` : ""}${attrs.reluInput ? "_reluin" : ""}${adds ? "_adds" : ""}`;
  const shapes = [[n, h, w, cIn], [k, k, cOut, cIn], bias ? [cOut] : null];
  const full = { stride, padding, ...attrs };
  const [y] = convTranspose2dOp.infer(
    shapes.map((shape) => shape && { shape, dtype: "f32" }),
    full,
  );
  return {
    name: `${n}x${h}x${w}x${cIn}-${cOut}_k${k}s${stride}p${padding}${suffix}`,
    shapes: adds ? [...shapes, null, y?.shape ?? null] : shapes,
    attrs: full,
    timed,
  };
}

const UP = [4, 2, 1] as const;
const K3 = [3, 1, 1] as const;
const decoder = { bias: true, reluInput: true } as const;

export const convTranspose2dSuite = defineSuite<ConvTranspose2dAttrs>({
  op: convTranspose2dOp,
  oracle,
  cases: [
    row([1, 1, 1, 1, 1], UP),
    row([1, 1, 1, 33, 17], UP, decoder),
    row([1, 2, 2, 64, 32], UP, decoder),
    row([2, 5, 3, 15, 8], UP, { ...decoder, activation: "elu" }),
    row([1, 8, 8, 32, 3], UP, decoder),
    row([1, 9, 17, 24, 40], UP, { bias: true, activation: "relu" }),
    row([1, 4, 6, 3, 5], K3, { bias: true }),
    row([2, 11, 9, 16, 24], K3, { ...decoder, activation: "relu" }),
    row([2, 3, 4, 5, 2], [5, 3, 2]),
    row([1, 5, 4, 6, 3], [4, 1, 1]),
    row([2, 4, 5, 16, 3], UP, { ...decoder, adds: true }),
    row([1, 5, 4, 8, 12], UP, { bias: true, adds: true }),
    row([2, 11, 9, 16, 24], K3, { activation: "relu", adds: true }),
    // For real GPUs: phases of few pixels, of more than a tile, and of channels that are no multiple of 4.
    row([1, 4, 3, 64, 12], UP, { ...decoder, activation: "elu" }),
    row([2, 9, 8, 36, 20], UP, decoder),
    row([1, 12, 11, 20, 3], UP, decoder),
    // Maps so large that the phases share their windows: whole tiles, and tiles cut off by either edge.
    row([1, 64, 67, 12, 3], UP, { ...decoder, adds: true }),
    row([2, 65, 64, 8, 20], UP, { bias: true }),
    row([2, 6, 7, 12, 20], K3, { bias: true }),
    // Input gradients of 3x3 convolutions of S2AD with 16 base channels at 128 x 128, batch 4.
    row([4, 64, 64, 64, 32], K3, { timed: true }),
    row([4, 16, 16, 256, 128], K3, { timed: true }),
    // The decoder of S2AD at 256 x 256, innermost first.
    row([1, 1, 1, 512, 512], UP, { ...decoder, timed: true }),
    row([1, 4, 4, 1024, 512], UP, { ...decoder, timed: true }),
    row([1, 16, 16, 1024, 256], UP, { ...decoder, timed: true }),
    row([1, 32, 32, 512, 128], UP, { ...decoder, timed: true }),
    row([1, 64, 64, 256, 64], UP, { ...decoder, timed: true }),
    row([1, 128, 128, 128, 3], UP, { ...decoder, timed: true }),
  ],
  f16: [
    { name: "f16", inputs: [0, 1, FUSED.addend] },
    { name: "f32_to_f16", inputs: [1] },
    { name: "f16_to_f32", inputs: [0, 1], attrs: { dtype: "f32" } },
  ],
  random(draw) {
    const upsampling = draw(0, 2) > 0;
    const k = upsampling ? 4 : draw(1, 4);
    const stride = upsampling ? 2 : draw(1, 3);
    const padding = upsampling ? 1 : draw(0, Math.floor((k - 1) / 2));
    const size = () => draw(1, 14);
    const cIn = draw(0, 2) === 0 ? 8 * draw(1, 4) : draw(1, 19);
    const cOut = draw(0, 2) === 0 ? 8 * draw(1, 5) : draw(1, 21);
    return row([draw(1, 2), size(), size(), cIn, cOut], [k, stride, padding], {
      bias: draw(0, 1) === 1,
      reluInput: draw(0, 1) === 1,
      adds: draw(0, 2) === 0,
    });
  },
});
