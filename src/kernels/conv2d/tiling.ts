/** How Winograd's forms cut a map into tiles, and the tiles into bands, so that the scratch of a band stays bounded. */
import { ceilDiv } from "../../graph/op.js";
import type { Shape } from "../../graph/tensor.js";

/** A run of tiles: `first` of the image batch, `tiles` in number. */
export interface Band {
  readonly first: number;
  readonly tiles: number;
}

export interface Tiling {
  /** Tiles of an image. */
  readonly high: number;
  readonly wide: number;
  readonly bands: readonly Band[];
  /** Tiles of the longest band, which all but the last have. */
  readonly most: number;
}

export interface TilingOptions {
  /** Outputs of a tile along an axis. */
  readonly tile: number;
  /** f32s that a tile takes in a band's scratch, of input and output together. */
  readonly factors: number;
  readonly bandBytes: number;
  /** Bands are multiples of so many tiles, and have at least as many: whole tiles of the products. */
  readonly whole: number;
}

/** @param map [N, H, W, ..] of the outputs */
export function tilingOf([n = 0, h = 0, w = 0]: Shape, { tile, factors, bandBytes, whole }: TilingOptions): Tiling {
  const [high, wide] = [ceilDiv(h, tile), ceilDiv(w, tile)];
  const all = n * high * wide;
  const fit = Math.max(whole, Math.floor(bandBytes / (4 * factors)));
  const most = Math.min(all, ceilDiv(ceilDiv(all, ceilDiv(all, fit)), whole) * whole);
  const bands: Band[] = [];
  for (let first = 0; first < all; first += most) bands.push({ first, tiles: Math.min(most, all - first) });
  return { high, wide, bands, most };
}
