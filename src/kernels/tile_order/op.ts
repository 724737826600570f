/**
 * Where S2AM's learned block L is needed. Equation (1) multiplies L by the blurred mask, which is exactly 0 in most of a
 * composite, and L takes 83 % of the network's work: so its two convolutions take their 4x4 tiles of outputs in an order
 * that puts those under the mask first, and stop there.
 */
import { ShapeError } from "../../errors.js";
import {
  type ApplyOptions,
  applyAll,
  ceilDiv,
  defineOp,
  operand,
  pass,
  result,
  scratch,
  shapeOf,
} from "../../graph/op.js";
import { nhwc, type Shape, type Tensor } from "../../graph/tensor.js";
import { tile_counts, tile_flags, tile_order } from "../../shaders.generated.js";
import { expectF32 } from "../expect.js";
import { threads, viewParams } from "../views.js";

/** Outputs of a tile along an axis. */
export const TILE = 4;
const CHUNK = 32;
/** Tiles are numbered in f32. */
const MOST_TILES = 2 ** 24;

export interface TileCount {
  readonly high: number;
  readonly wide: number;
  /** Of all images. */
  readonly size: number;
}

/** Tiles of a map [N, H, W, ...]. */
export function tileCount([n = 0, h = 0, w = 0]: Shape): TileCount {
  const [high, wide] = [ceilDiv(h, TILE), ceilDiv(w, TILE)];
  return { high, wide, size: n * high * wide };
}

export const tileOrderOp = defineOp<Record<string, never>>({
  name: "tile_order",
  infer([m]) {
    expectF32("tile_order", "m", m);
    const [, , , c] = nhwc("tile_order", "m", shapeOf(m));
    const { size } = tileCount(shapeOf(m));
    if (c !== 1) throw new ShapeError(`tile_order: m must have one channel, got ${c}`);
    if (size > MOST_TILES) throw new ShapeError(`tile_order: takes at most ${MOST_TILES} tiles of 4x4, m has ${size}`);
    return [0, 1].map(() => ({ shape: [1 + size], dtype: "f32" }));
  },
  flops: () => 0,
  vjp: () => [null],
  variants: [
    {
      name: "direct",
      features: [],
      accepts: () => true,
      plan: (p) => {
        const m = operand(p, 0);
        const [, h, w] = nhwc("tile_order", "m", m.shape);
        const { high, wide, size } = tileCount(m.shape);
        const chunks = ceilDiv(size, CHUNK);
        const flags = scratch("which tiles hold any of the mask", size);
        const counts = scratch("how many of a chunk do", 2 * chunks);
        const consts = { CHUNK };
        const params = { high, wide, size, chunks };
        return {
          passes: [
            pass(tile_flags, {
              bind: { m, flags },
              params: { h, w, ...viewParams("m", m), high, wide, size },
              workgroups: threads(size),
            }),
            pass(tile_counts, { bind: { flags, counts }, consts, params, workgroups: threads(2 * chunks) }),
            pass(tile_order, {
              bind: { flags, counts, within: result(p, 0), around: result(p, 1) },
              consts,
              params: { ...params, within_offset: result(p, 0).offset, around_offset: result(p, 1).offset },
              workgroups: threads(2 * chunks),
            }),
          ],
        };
      },
    },
  ],
});

export interface TileOrders {
  /** The tiles in which the mask is not 0 throughout, first. */
  readonly within: Tensor;
  /** Those and the tiles beside them, which a 3x3 convolution on the former reads, first. */
  readonly around: Tensor;
}

/**
 * @param m [N, H, W, 1]
 * @returns twice [1 + N * ceil(H / 4) * ceil(W / 4)]: how many tiles are needed, and the numbers of all, those first
 */
export function tileOrder(m: Tensor, options?: ApplyOptions): TileOrders {
  const [within, around] = applyAll(tileOrderOp, [m], {}, options);
  if (!within || !around) throw new Error("tile_order: has two outputs");
  return { within, around };
}
