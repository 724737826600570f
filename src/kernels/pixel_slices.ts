/** How the pixels of shaders that use lib/pixel_slices.wgsl are shared out to threads. */
import { type Capabilities, ceilDiv, type Pass, pass, type Scratch, type TensorView } from "../graph/op.js";
import { join_slices } from "../shaders.generated.js";
import { type Lanes, threads, viewParams } from "./views.js";

/** Parameters of the shaders. */
export interface PixelSlices {
  /** Sets of pixels that are treated apart: images, or one for a whole batch. */
  readonly sets: number;
  readonly set_pixels: number;
  /** Of each set. */
  readonly slices: number;
  /** Pixels of a slice; a set's last may have fewer. */
  readonly slice_pixels: number;
}

export interface PixelSets {
  readonly sets: number;
  readonly setPixels: number;
}

const cut = ({ sets, setPixels }: PixelSets, slicePixels: number): PixelSlices => ({
  sets,
  set_pixels: setPixels,
  slices: ceilDiv(setPixels, slicePixels),
  slice_pixels: slicePixels,
});

/** For sums: the square root splits the additions evenly between the slices and their join, and keeps both chains short. */
export const slicesToSum = (set: PixelSets): PixelSlices => cut(set, Math.ceil(Math.sqrt(set.setPixels)));

/** For work pixel by pixel: slices long enough to repay what a thread loads once, short enough to fill the device. */
export const slicesToWalk = (set: PixelSets, { software }: Capabilities): PixelSlices => cut(set, software ? 32 : 8);

/** Workgroups for a thread a slice and channel. */
export const sliceThreads = ({ sets, slices }: PixelSlices, channels: number, lanes: Lanes): [number, number, number] =>
  threads((sets * slices * channels) / lanes.count);

/**
 * Adds up the sums that slices left.
 * @param partial [sets, slices, C]
 * @param y [sets, C]
 */
export function joinPass(partial: Scratch, { sets, slices }: PixelSlices, y: TensorView): Pass {
  const c = y.shape.at(-1) ?? 1;
  const params = { sets, slices, c, ...viewParams("y", y) };
  return pass(join_slices, { bind: { partial, y }, params, workgroups: threads(sets * c) });
}
