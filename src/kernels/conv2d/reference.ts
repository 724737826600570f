/** The convolution in float64, written for reading. */
import type { Shape } from "../../graph/tensor.js";
import { activate, activationError } from "../activation.js";
import { at, given, type HostArray, type Oracle, oracleOf } from "../suite.js";
import { FUSED } from "./fused.js";
import { type Conv2dAttrs, conv2dOp } from "./op.js";

/** Number of the 4x4 tile of a map that a pixel lies in. */
export const tileOf = (
  [image, row, column]: readonly [number, number, number],
  [h, w]: readonly [number, number],
): number => (image * Math.ceil(h / 4) + Math.floor(row / 4)) * Math.ceil(w / 4) + Math.floor(column / 4);

export function conv2dOracle(inputs: readonly (HostArray | null)[], attrs: Conv2dAttrs): readonly Oracle[] {
  const [x, w] = [given(inputs, 0), given(inputs, 1)];
  const bias = inputs[2]?.data;
  const spec = ({ shape }: { shape: Shape }) => ({ shape, dtype: "f32" as const });
  const [output] = conv2dOp.infer([spec(x), spec(w), inputs[2] ? spec(inputs[2]) : null], attrs);
  const [gate, addend] = [inputs[FUSED.gate]?.data, inputs[FUSED.addend]?.data];
  const positive = inputs[FUSED.positive]?.data;
  const order = inputs[FUSED.tiles]?.data;
  const needed = order && new Set(order.subarray(1, 1 + at(order, 0)));
  const [, oh = 0, ow = 0, cOut = 0] = output?.shape ?? [];
  const [, h = 0, width = 0, cIn = 0] = x.shape;
  const [r = 0, s = 0] = w.shape;
  const image = h * width * cIn;
  const seen = gate ? x.data.map((value, i) => value * at(gate, Math.floor(i / image) * cIn + (i % cIn))) : x.data;
  return [
    oracleOf(
      output?.shape ?? [],
      r * s * cIn + 2,
      (i) => {
        const oc = i % cOut;
        const pixel = Math.floor(i / cOut);
        const [px, py, n] = [pixel % ow, Math.floor(pixel / ow) % oh, Math.floor(pixel / (ow * oh))];
        if (needed && !needed.has(tileOf([n, py, px], [oh, ow]))) return [0, Number.POSITIVE_INFINITY];
        let sum = bias ? at(bias, oc) : 0;
        if (addend) sum += at(addend, i);
        let magnitude = Math.abs(bias ? at(bias, oc) : 0) + Math.abs(addend ? at(addend, i) : 0);
        for (let ky = 0; ky < r; ky++) {
          for (let kx = 0; kx < s; kx++) {
            const iy = py * attrs.stride + ky - attrs.padding;
            const ix = px * attrs.stride + kx - attrs.padding;
            if (iy < 0 || iy >= h || ix < 0 || ix >= width) continue;
            for (let c = 0; c < cIn; c++) {
              const term =
                at(seen, ((n * h + iy) * width + ix) * cIn + c) * at(w.data, ((ky * s + kx) * cIn + c) * cOut + oc);
              sum += term;
              magnitude += Math.abs(term);
            }
          }
        }
        if (positive && at(positive, i) <= 0) return [0, 0];
        return [activate(sum, attrs), magnitude];
      },
      activationError(attrs),
    ),
  ];
}
