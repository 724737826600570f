/** Convolution of maps so small that reading the weights is all the work, for real GPUs. */
import { ceilDiv, type NodePlan, operand, pass, scratch } from "../../graph/op.js";
import { conv2d_stream } from "../../shaders.generated.js";
import { memoryTime, passTime } from "../gemm_tiles.js";
import type { GpuProfile } from "../gpu_profile.js";
import { isVec4, typeOf } from "../views.js";
import {
  asGemm,
  type ConvolutionProblem,
  gatedInput,
  gatesVec4,
  joinPass,
  type Window,
  weightMatrix,
  windowParams,
} from "./as_gemm.js";

/** Terms of K that a workgroup multiplies, and output channels: those of conv2d_stream.wgsl. */
const SLAB = 128;
const WIDE = 128;
/** Pixels of a workgroup: as many sums as a thread has registers for. */
const FEW = 4;
const MANY = 16;
/** More are read with fewer loads by tiles. */
const MOST_PIXELS = 64;

/** Taps of an axis that some output pixel has inside the image; of phase 0, but the phases have as many each. */
function liveTaps(size: number, grid: number, kernel: number, { stride, pad }: Window): number {
  const first = Math.max(0, pad - (grid - 1) * stride);
  const last = Math.min(kernel - 1, size - 1 + pad);
  return Math.max(1, last - first + 1);
}

function sizes(problem: ConvolutionProblem, window: Window) {
  const params = windowParams(problem, window);
  const live_h = liveTaps(params.h, params.grid_h, params.kernel_h, window);
  const live_w = liveTaps(params.w, params.grid_w, params.kernel_w, window);
  return { params: { ...params, live_h, live_w }, slices: ceilDiv(live_h * live_w * 4 * params.c4, SLAB) };
}

/** Weights are read once for every MANY pixels, sums of the slabs written and read once. In microseconds. */
export function streamTime(problem: ConvolutionProblem, window: Window, gpu?: GpuProfile): number {
  const { m, n, batches } = asGemm(problem, window);
  const { params, slices } = sizes(problem, window);
  const weights = 4 * batches * params.live_h * params.live_w * 4 * params.c4 * n;
  const reads = ceilDiv(m, MANY);
  return (
    passTime(0.7 * (reads - 1) * weights, gpu) +
    memoryTime(1.25 * weights, gpu) +
    passTime(8 * batches * slices * m * n, gpu)
  );
}

export const acceptsStream = (problem: ConvolutionProblem, window: Window): boolean =>
  asGemm(problem, window).m <= MOST_PIXELS && isVec4(operand(problem, 0)) && gatesVec4(problem);

export function planStream(problem: ConvolutionProblem, window: Window): NodePlan {
  const { m, n, batches } = asGemm(problem, window);
  const { params, slices } = sizes(problem, window);
  const PIXELS = m <= FEW ? FEW : MANY;
  const { matrix, prepare } = weightMatrix(problem, window);
  const partial = scratch("sums of slabs", batches * slices * m * n);
  const input = gatedInput(problem);
  const main = pass(conv2d_stream, {
    bind: { x: operand(problem, 0), w: matrix, y: partial, ...input.bind },
    consts: { PIXELS, ...input.consts },
    types: { ...input.types, W: typeOf(operand(problem, 1), 4) },
    overrides: input.overrides,
    params: { ...params, slices, ...input.params },
    workgroups: [ceilDiv(n, WIDE), ceilDiv(m, PIXELS), batches * slices],
  });
  return { prepare, passes: [main, joinPass(problem, window, partial, slices)] };
}
