/**
 * Winograd's passes on the tiles that an order of tile_order needs, and on no others: their workgroups are counted on the
 * device. What S2AM's composition leaves out gets its background from a pass of its own.
 */
import { ceilDiv, type Indirect, NONE, type Pass, type Problem, pass, result, scratch } from "../../graph/op.js";
import { s2am_background, tile_workgroups } from "../../shaders.generated.js";
import { TILE, tileCount } from "../tile_order/op.js";
import { threads, typeOf, viewParams } from "../views.js";
import { compositionOf, orderOf } from "./fused.js";

/** What a band of tiles goes through, in this order. */
const STAGES = ["input", "product", "output"] as const;

export interface TileWork {
  /** Outputs of a tile along an axis; orders are of tiles of 4. */
  readonly tile: number;
  /** Tiles of a band but the last. */
  readonly band: number;
  /** Threads a tile. */
  readonly inputThreads: number;
  readonly outputThreads: number;
  /** Tiles a workgroup of the products, workgroups beside it, and products. */
  readonly product: readonly [rows: number, y: number, z: number];
  /** Channels that a thread takes at once. */
  readonly lanes: 1 | 4;
}

export interface NeededTiles {
  /** For the passes that use lib/tile_order.wgsl. */
  readonly order: {
    readonly bind: { readonly order: Pass["bind"][string] };
    readonly overrides: { readonly ORDERED: number };
  };
  readonly before: readonly Pass[];
  readonly after: readonly Pass[];
  /** The workgroups of a band's stage; undefined where all tiles are needed. */
  workgroups(stage: (typeof STAGES)[number], firstTile: number): Indirect | undefined;
}

export function neededTiles(problem: Problem<unknown>, work: TileWork): NeededTiles {
  const order = orderOf(problem);
  if (!order || work.tile !== TILE) {
    const all = { bind: { order: NONE }, overrides: { ORDERED: 0 } };
    return { order: all, before: [], after: [], workgroups: () => undefined };
  }
  const { size } = tileCount(result(problem).shape);
  const { band, inputThreads, outputThreads, product, lanes } = work;
  const bands = ceilDiv(size, band);
  const sizes = scratch("workgroups of the tiles that are needed", bands * STAGES.length * 3);
  const [product_rows, product_y, product_z] = product;
  const count = pass(tile_workgroups, {
    bind: { order, sizes },
    params: {
      tiles: size,
      band,
      input_threads: inputThreads,
      output_threads: outputThreads,
      product_rows,
      product_y,
      product_z,
    },
    workgroups: [bands, 1, 1],
  });
  return {
    order: { bind: { order }, overrides: { ORDERED: 1 } },
    before: [count],
    after: backgroundPasses(problem, lanes),
    workgroups: (stage, firstTile) => ({
      sizes,
      offset: 12 * ((firstTile / band) * STAGES.length + STAGES.indexOf(stage)),
    }),
  };
}

function backgroundPasses(problem: Problem<unknown>, lanes: 1 | 4): Pass[] {
  const composition = compositionOf(problem);
  const order = orderOf(problem);
  if (!composition || !order) return [];
  const { features, gates } = composition;
  const y = result(problem);
  const [, h = 0, w = 0, c = 0] = y.shape;
  const { high, wide, size } = tileCount(y.shape);
  const { gates_pitch, gates_offset } = viewParams("gates", gates);
  return [
    pass(s2am_background, {
      bind: { x: features, gates, order, y },
      consts: { VECTOR: lanes },
      types: { T: lanes === 4 ? "vec4<f32>" : "f32", X: typeOf(features, lanes), Y: typeOf(y, lanes) },
      params: {
        h,
        w,
        lanes: c / lanes,
        ...viewParams("x", features),
        gates_pitch,
        gates_offset: gates_offset + c,
        ...viewParams("y", y),
        tiles_high: high,
        tiles_wide: wide,
        tiles: size,
      },
      workgroups: threads((size * c) / lanes),
    }),
  ];
}
