/**
 * Tiles of the products for real GPUs, and an estimate of how long they take, by which variants choose among each other
 * where no tuning table does. The estimate is a model, not a measurement, of a large GPU (132 units of 128 lanes) or one built
 * into a processor (gpu_profile.ts); what it has to get right is the order of the candidates alone. Three things decide that:
 *
 * - how much a tile reuses what it loads: 8 x 8 sums a thread meet 4 vec4s of workgroup memory every 64 multiply-adds,
 *   4 x 4 sums meet 8; larger tiles also load less from the caches;
 * - whole rounds: 1.1 workgroups a unit take as long as 2;
 * - enough threads on every unit to hide the latency of loads.
 */
import { ceilDiv } from "../graph/op.js";
import { type GpuProfile, LARGE_GPU } from "./gpu_profile.js";

export interface GemmTile {
  /** Rows by columns of the result that a workgroup owns. */
  readonly name: string;
  readonly consts: {
    readonly TILE_M: number;
    readonly TILE_N: number;
    readonly ROWS: number;
    readonly COLUMNS4: number;
    readonly STEP_K4: number;
  };
  readonly threads: number;
  /** The share of peak arithmetic that it is expected to reach on a full device. */
  readonly efficiency: number;
}

function tile(TILE_M: number, TILE_N: number, ROWS: number, COLUMNS4: number, STEP_K4: number, efficiency: number) {
  const threads = (TILE_M / ROWS) * (TILE_N / (4 * COLUMNS4));
  return { name: `${TILE_M}x${TILE_N}`, consts: { TILE_M, TILE_N, ROWS, COLUMNS4, STEP_K4 }, threads, efficiency };
}

/**
 * Largest first. Two stages of both tiles take 16, 12, 8, 6 and 10 KiB of workgroup memory, of 16 that WebGPU grants
 * everywhere. The last two are for few output channels.
 */
export const GEMM_TILES: readonly GemmTile[] = [
  tile(128, 128, 8, 2, 2, 0.7),
  tile(128, 64, 8, 2, 2, 0.66),
  tile(64, 64, 8, 2, 2, 0.6),
  tile(64, 32, 8, 1, 2, 0.45),
  tile(64, 16, 4, 1, 4, 0.3),
];

/** The tile whose kernels also read scalars, where four channels cannot go at once; the others decline that. */
export const isRaggedTile = ({ name }: GemmTile): boolean => name === "64x64";

/** Sizes of `batches` products y[M, N] = a[M, K] b[K, N]. */
export interface Gemm {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batches: number;
}

/** Subgroups of 32 on a unit that keep its lanes busy. */
const BUSY_SUBGROUPS = 8;
/** What a pass costs that waits for another: the last workgroups of one, the first of the next. */
const PASS = 2.5;

/** Partial sums of slices may take this much scratch. */
const SLICE_BYTES = 12 * 2 ** 20;

/** Reading from memory once. */
export const memoryTime = (bytes: number, { memoryBytes }: GpuProfile = LARGE_GPU): number => bytes / memoryBytes;
/** A pass that moves bytes which the pass before left in the cache. */
export const passTime = (bytes: number, { cacheBytes }: GpuProfile = LARGE_GPU): number => PASS + bytes / cacheBytes;

function gemmTime(
  { m, n, k, batches }: Gemm,
  { consts, threads, efficiency }: GemmTile,
  slices: number,
  gpu: GpuProfile,
): number {
  const { TILE_M, TILE_N } = consts;
  const workgroups = ceilDiv(m, TILE_M) * ceilDiv(n, TILE_N) * batches * slices;
  const rounds = ceilDiv(workgroups, gpu.units);
  const fill = Math.min(1, (rounds * threads) / 32 / BUSY_SUBGROUPS);
  const arithmetic = (rounds * TILE_M * TILE_N * ceilDiv(k, slices)) / (gpu.fmasAUnit * efficiency * fill);
  const join = slices > 1 ? passTime(8 * m * n * batches * slices, gpu) : 0;
  return PASS + Math.max(arithmetic, memoryTime(4 * batches * k * n, gpu)) + join;
}

export interface GemmChoice {
  readonly tile: GemmTile;
  /** Of K. */
  readonly slices: number;
  /** Estimated, in microseconds. */
  readonly time: number;
}

/** The best number of slices for a tile. @param most 1 where K cannot be cut */
export function sliced(gemm: Gemm, tile: GemmTile, most = 256, gpu: GpuProfile = LARGE_GPU): GemmChoice {
  let best: GemmChoice = { tile, slices: 1, time: gemmTime(gemm, tile, 1, gpu) };
  // A slice is at least eight steps, so that filling the pipeline of loads does not become the work.
  const longest = Math.floor(gemm.k / (32 * tile.consts.STEP_K4));
  for (let slices = 2; slices <= Math.min(most, longest); slices = Math.ceil(slices * 1.25)) {
    if (4 * gemm.m * gemm.n * gemm.batches * slices > SLICE_BYTES) break;
    const time = gemmTime(gemm, tile, slices, gpu);
    if (time < best.time) best = { tile, slices, time };
  }
  return best;
}

/** The best tile and its slices. */
export function chooseTile(gemm: Gemm, most?: number, gpu?: GpuProfile): GemmChoice {
  const [first, ...others] = GEMM_TILES.map((tile) => sliced(gemm, tile, most, gpu));
  if (!first) throw new Error("gemm_tiles: there are no tiles");
  return others.reduce((best, next) => (next.time < best.time ? next : best), first);
}

/** Whole steps for each of about as many slices as asked for. @returns their number, and the terms of one */
export function cut(k: number, slices: number, step: number): { readonly slices: number; readonly each: number } {
  const each = ceilDiv(ceilDiv(k, slices), step) * step;
  return { slices: ceilDiv(k, each), each };
}
