import type { Shape } from "../../graph/tensor.js";
import { defineSuite, type Fill, type OpCase } from "../suite.js";
import { tileCount } from "../tile_order/op.js";
import { FUSED } from "./fused.js";
import { type Conv2dAttrs, conv2dOp, inferConv2d } from "./op.js";
import { conv2dOracle } from "./reference.js";

/** Rows named [N]x[H]x[W]x[C_in]-[C_out]_k[kernel]s[stride]p[padding]. */
function row(
  [n, h, w, cIn, cOut]: readonly [number, number, number, number, number],
  [k, stride, padding]: readonly [number, number, number],
  options: Partial<Conv2dAttrs> & {
    bias?: boolean;
    gated?: boolean;
    adds?: boolean;
    cuts?: boolean;
    /** Tiles of the result that are needed. */
    needed?: number | undefined;
    timed?: boolean;
  } = {},
): OpCase<Conv2dAttrs> {
  const { bias = false, gated = false, adds = false, cuts = false, needed, timed = false, ...attrs } = options;
  const suffix = `${bias ? "_bias" : ""}${attrs.activation ? `_${attrs.activation}` : ""}${gated ? "_gated" : ""}${adds ? "_adds" : ""}${cuts ? "_cuts" : ""}${needed === undefined ? "" : `_tiles${needed}`}`;
  const y = inferConv2d([n, h, w, cIn], [k, k, cIn, cOut], null, { stride, padding });
  const order = needed === undefined ? null : orderFrom(y, needed);
  const fused = order
    ? [gated ? [n, cIn] : null, null, null, null, null, null, order.shape]
    : cuts
      ? [gated ? [n, cIn] : null, null, null, null, null, y]
      : adds
        ? [gated ? [n, cIn] : null, y]
        : gated
          ? [[n, cIn]]
          : [];
  return {
    name: `${n}x${h}x${w}x${cIn}-${cOut}_k${k}s${stride}p${padding}${suffix}`,
    shapes: [[n, h, w, cIn], [k, k, cIn, cOut], bias ? [cOut] : null, ...fused],
    attrs: { stride, padding, ...attrs },
    ...(order && { fill: [...Array.from({ length: FUSED.tiles }, (): Fill => "signed"), order.fill] }),
    timed,
  };
}

/** An order that needs the last `needed` tiles of a result, the last of them first. */
export function orderFrom(y: Shape, needed: number): { readonly shape: Shape; readonly fill: Fill } {
  const { size } = tileCount(y);
  return { shape: [1 + size], fill: (_, index) => (index === 0 ? Math.min(needed, size) : size - index) };
}

const K3 = [3, 1, 1] as const;
const K4 = [4, 2, 1] as const;

export const conv2dSuite = defineSuite<Conv2dAttrs>({
  op: conv2dOp,
  oracle: conv2dOracle,
  // Not what a ReLU saw: y only jumps with it.
  gradient: { inputs: [0, 1, 2, 3, 4], smooth: ({ shapes }) => !shapes[FUSED.tiles] },
  cases: [
    row([1, 1, 1, 1, 1], [1, 1, 0]),
    row([1, 8, 8, 8, 16], K3, { bias: true, activation: "elu" }),
    row([2, 9, 7, 3, 5], K3, { bias: true }),
    row([1, 13, 37, 24, 40], K3, { bias: true, activation: "leaky_relu", slope: 0.2 }),
    row([1, 16, 16, 4, 16], K4, { bias: true, activation: "leaky_relu", slope: 0.2 }),
    row([2, 10, 6, 9, 25], K4),
    row([1, 2, 2, 64, 64], K4, { bias: true, activation: "relu" }),
    row([1, 12, 12, 2, 16], [7, 1, 3], { bias: true, activation: "relu" }),
    row([1, 12, 12, 16, 1], [7, 1, 3], { bias: true, activation: "sigmoid" }),
    row([3, 5, 4, 7, 9], [3, 2, 0], { activation: "tanh" }),
    row([1, 6, 6, 4, 7], [5, 3, 2], { bias: true }),
    row([2, 9, 11, 12, 20], K3, { bias: true, activation: "elu", gated: true }),
    row([2, 5, 4, 3, 6], [3, 2, 1], { gated: true, adds: true }),
    row([1, 8, 8, 8, 16], K3, { activation: "leaky_relu", slope: 0.2, adds: true }),
    row([2, 8, 6, 3, 12], K4, { cuts: true }),
    row([1, 9, 8, 20, 16], K3, { activation: "elu", gated: true, cuts: true }),
    // For real GPUs: Winograd's form in two images, few pixels, a long sum cut into slices, more than a tile of channels.
    row([2, 9, 7, 12, 20], K3, { bias: true, activation: "sigmoid" }),
    row([2, 5, 5, 20, 12], K3, { bias: true }),
    row([1, 1, 1, 8, 12], K3, { activation: "tanh" }),
    row([1, 4, 4, 128, 32], K4, { bias: true, activation: "elu" }),
    row([2, 5, 6, 64, 32], K4, { bias: true, activation: "elu", gated: true, adds: true }),
    row([1, 12, 13, 20, 136], [1, 1, 0], { bias: true }),
    // In some of its tiles alone: none, less than a workgroup's, several bands'.
    row([1, 9, 10, 8, 12], K3, { bias: true, activation: "elu", needed: 0 }),
    row([2, 13, 18, 12, 24], K3, { bias: true, activation: "elu", gated: true, needed: 11 }),
    row([2, 40, 41, 16, 20], K3, { activation: "elu", needed: 170 }),
    row([1, 203, 598, 3, 9], K3, { needed: 7500 }),
    // More tiles than a band of Winograd's form holds.
    row([1, 203, 598, 3, 9], K3, { bias: true, activation: "relu" }),
    // The convolutions of S2AD at 256 x 256: 83 % of its work is in the first six rows.
    row([1, 128, 128, 128, 256], K3, { bias: true, activation: "elu", timed: true }),
    row([1, 128, 128, 128, 256], K3, { bias: true, activation: "elu", gated: true, timed: true }),
    row([1, 128, 128, 256, 128], K3, { bias: true, activation: "elu", timed: true }),
    row([1, 64, 64, 256, 512], K3, { bias: true, activation: "elu", timed: true }),
    row([1, 64, 64, 512, 256], K3, { bias: true, activation: "elu", timed: true }),
    row([1, 32, 32, 512, 1024], K3, { bias: true, activation: "elu", timed: true }),
    row([1, 32, 32, 1024, 512], K3, { bias: true, activation: "elu", timed: true }),
    row([1, 256, 256, 4, 64], K4, { timed: true }),
    row([1, 128, 128, 64, 128], K4, { bias: true, timed: true }),
    row([1, 64, 64, 128, 256], K4, { bias: true, timed: true }),
    row([1, 32, 32, 256, 512], K4, { bias: true, timed: true }),
    row([1, 16, 16, 512, 512], K4, { bias: true, timed: true }),
    row([1, 4, 4, 512, 512], K4, { bias: true, timed: true }),
    row([1, 128, 128, 2, 16], [7, 1, 3], { bias: true, activation: "relu", timed: true }),
  ],
  f16: [
    { name: "f16", inputs: [0, 1, FUSED.addend] },
    { name: "f32_to_f16", inputs: [1] },
    { name: "f16_to_f32", inputs: [0, 1], attrs: { dtype: "f32" } },
  ],
  random(draw) {
    const k = draw(1, 5);
    const stride = draw(1, 3);
    const padding = draw(0, Math.floor(k / 2));
    const size = () => k + draw(0, 17);
    const attrs = draw(0, 2) === 0 ? { activation: "relu" as const } : {};
    const cIn = draw(0, 2) === 0 ? 4 * draw(1, 6) : draw(1, 19);
    const cOut = draw(0, 2) === 0 ? 8 * draw(1, 5) : draw(1, 37);
    const last = draw(0, 5);
    const needed = last === 2 ? draw(0, 40) : undefined;
    const fused = { gated: draw(0, 3) === 0, adds: last === 0, cuts: last === 1, bias: draw(0, 1) === 1, needed };
    return row([draw(1, 2), size(), size(), cIn, cOut], [k, stride, padding], { ...attrs, ...fused });
  },
});
