import { ceilDiv, operand, pass, result, scratch, type Variant } from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { winograd_output_backward, winograd_weight_backward } from "../../shaders.generated.js";
import { isSubgroupSize, productTile, winogradThreshold } from "../conv2d/tiles.js";
import { factorRow, inputPass, POINTS, productPass, productRow, tilesOf } from "../conv2d/winograd.js";
import { threads, viewParams } from "../views.js";
import type { Conv2dBackwardWeightAttrs } from "./op.js";

/** Below, what the transformed gradients cost to store is not made up for. */
const FEWEST_PIXELS = 256;

/**
 * 3x3 of stride 1 through the adjoints of Winograd's F(4x4, 3x3): 36 products of transformed inputs and gradients, summed
 * over the tiles.
 */
export const winograd: Variant<Conv2dBackwardWeightAttrs> = {
  name: "winograd",
  features: ["subgroups"],
  accepts: ({ attrs: { kernel, stride, padding } }, { subgroupSize }) =>
    kernel.every((size) => size === 3) && stride === 1 && padding === 1 && isSubgroupSize(subgroupSize),
  suits: (p, { software, subgroupSize }) => {
    const [cIn = 0, cOut = 0] = result(p).shape.slice(2);
    const enough = (cIn * cOut) / (cIn + cOut) >= winogradThreshold(subgroupSize).weightGradient;
    return software && enough && sizeOf(operand(p, 1).shape) / cOut >= FEWEST_PIXELS;
  },
  plan: (p, { subgroupSize: lanes }) => {
    const [x, dy, dw] = [operand(p, 0), operand(p, 1), result(p)];
    const [, oh = 0, ow = 0, cOut = 0] = dy.shape;
    const cIn = x.shape[3] ?? 0;
    const tiling = tilesOf(dy.shape, POINTS * (cIn + cOut));
    const { columns, depth } = productTile(lanes, cIn, cOut);
    const padded = (tiles: number): number => ceilDiv(tiles, depth) * depth;
    const channels = ceilDiv(cOut, columns) * columns;
    const v = scratch("input in Winograd's form", POINTS * tiling.most * factorRow(cIn));
    const dm = scratch("output gradient in Winograd's form", POINTS * padded(tiling.most) * channels);
    const duRow = productRow(cOut, columns);
    const du = scratch("weight gradient in Winograd's form", POINTS * cIn * duRow);
    const passes = tiling.bands.flatMap((band, index) => {
      const size = padded(band.tiles) * channels;
      const gradient = pass(winograd_output_backward, {
        bind: { dy, dm },
        overrides: { RELU_DY: p.attrs.reluDy ? 1 : 0 },
        params: {
          oh,
          ow,
          c_out: cOut,
          ...viewParams("dy", dy),
          columns,
          tiles_high: tiling.high,
          tiles_wide: tiling.wide,
          first: band.first,
          tiles: band.tiles,
          tiles_padded: padded(band.tiles),
          size,
        },
        workgroups: threads(size),
      });
      const product = { m: cIn, n: cOut, k: band.tiles, rowMajor: false, pitch: factorRow(cIn), accumulate: index > 0 };
      return [inputPass(x, v, tiling, band), gradient, productPass({ x: v, w: dm, y: du }, product, lanes, cIn)];
    });
    const size = cIn * cOut;
    const join = pass(winograd_weight_backward, {
      bind: { du, dw },
      params: { size, c_out: cOut, du_row: duRow, ...viewParams("dw", dw) },
      workgroups: threads(size),
    });
    return { passes: [...passes, join] };
  },
};
