/**
 * Tile sizes of the kernels for software adapters, by subgroup size: lavapipe has 8 lanes, SwiftShader 4. Measured there;
 * a larger tile loads less for each multiply-add until it spills. On SwiftShader the time to compile a pipeline grows
 * faster than its unrolled tile, the more so the more variables it has: kernels made of variables have small tiles.
 */

/** Subgroup sizes that the tiles' loads divide into. */
export const isSubgroupSize = (size: number): boolean => size === 4 || size === 8 || size === 16;

/** Of a product of rows (on the lanes) and columns (broadcast): rows a lane, columns a subgroup, terms a step. */
export interface ProductTile {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
}

/** Of the products, in matmul_subgroup.wgsl, or in matmul_static.wgsl for SwiftShader. */
export const productTile = (lanes: number, rows: number, columns: number): ProductTile =>
  lanes === 4 ? staticTile(rows, columns) : subgroupTile(lanes, rows, columns);

/**
 * Every load is some hundred instructions there, and a step of more than about 24 loads falls out of the instruction cache: half the speed.
 * Taller tiles make the most of that many, unless a third of the last would lie past the rows.
 */
function subgroupTile(lanes: number, rows: number, columns: number): ProductTile {
  const depth = columns > 4 ? 2 : 4;
  const covered = Math.ceil(rows / (8 * lanes)) * 8 * lanes;
  if (rows > 4 * lanes && covered <= 1.15 * Math.ceil(rows / (4 * lanes)) * 4 * lanes) {
    return { rows: 8, columns: fitting(columns, 32), depth };
  }
  return { rows: rows > 2 * lanes ? 4 : rows > lanes ? 2 : 1, columns: fitting(columns, 64), depth };
}

/** Largest where there are rows enough: its kernel compiles for a second or two, and small problems have no use for it. */
function staticTile(rows: number, columns: number): ProductTile {
  const depth = 4;
  if (rows <= 4 || columns <= 4) return { rows: rows <= 4 ? 1 : 4, columns: columns <= 4 ? 4 : 16, depth };
  return rows >= 128 ? { rows: 16, columns: columns > 16 ? 32 : 16, depth } : { rows: 4, columns: 16, depth };
}

/** Of conv2d_subgroup.wgsl: output pixels, output channels and input channels a step. */
export function convolutionTile(lanes: number, pixels: number, channels: number): ProductTile {
  if (lanes === 4) return { rows: pixels <= lanes ? 1 : 4, columns: channels <= 4 ? 4 : 16, depth: 4 };
  if (pixels <= 2 * lanes) return { rows: pixels <= lanes ? 1 : 2, columns: fitting(channels, 32), depth: 4 };
  return channels > 32 ? { rows: 4, columns: 64, depth: 2 } : { rows: 4, columns: fitting(channels, 32), depth: 4 };
}

/** Output rows by output channels of the direct 3x3 convolution. */
export const tile3x3 = (lanes: number): { readonly ROWS: number; readonly CHANNELS: number } =>
  lanes === 4 ? { ROWS: 4, CHANNELS: 8 } : { ROWS: 16, CHANNELS: 16 };

/** Of the weight gradient: pairs of kernel row and input channel a lane, output channels, pixels a step. */
export function weightGradientTile(lanes: number, kernelColumns: number, stride: number, cOut: number) {
  const registers = lanes === 4 ? 4 : 8;
  const GROUPS = Math.min(4, Math.max(1, Math.floor(registers / kernelColumns)));
  if (lanes === 4) return { GROUPS, CHANNELS: cOut <= 4 ? 4 : 16, DEPTH: 2 };
  const CHANNELS = fitting(cOut, 32);
  return { GROUPS, CHANNELS, DEPTH: CHANNELS === 32 && stride > 1 ? 2 : 4 };
}

/**
 * Half the harmonic mean of input and output channels from which Winograd's form is the faster one; `ordered`: on the tiles
 * under a mask, most of which cover less than half of a picture.
 */
export const winogradThreshold = (lanes: number) =>
  lanes === 4 ? { forward: 12, ordered: 6, weightGradient: 6 } : { forward: 28, ordered: 10, weightGradient: 16 };

/**
 * The same for kernel 4 and stride 2; the pixels of the smaller map from which the weights' transform pays, and its shorter
 * side from which a transposed convolution's phases share their windows.
 */
export const pairsThreshold = (lanes: number) =>
  lanes === 4 ? { channels: 4, pixels: 256, shared: 64 } : { channels: 12, pixels: 256, shared: 64 };

/**
 * Input and output channels from which a convolution on planes and panels is faster than one that loads them as they lie; and pixels
 * from which it is where weights change, and are repacked, in every step.
 */
export const planesThreshold = (lanes: number) =>
  lanes === 4 ? { cIn: 2 ** 31, cOut: 16, pixels: 64 } : { cIn: 32, cOut: 32, pixels: 64 };

/** The smallest of 4, 8, 16, .. most that holds `size`, else `most`. */
function fitting(size: number, most: number): number {
  let fit = 4;
  while (fit < Math.min(size, most)) fit *= 2;
  return fit;
}
