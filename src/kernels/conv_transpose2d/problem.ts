/** The numbers of a transposed convolution that all its shaders share. */
import { operand, type Problem, result } from "../../graph/op.js";
import type { Window } from "../conv2d/as_gemm.js";
import type { ConvTranspose2dAttrs } from "./op.js";

export function convTranspose2dOverrides(problem: Problem<ConvTranspose2dAttrs>) {
  const x = operand(problem, 0);
  const y = result(problem);
  const [, H = 0, W = 0, C_IN = 0] = x.shape;
  return {
    H,
    W,
    C_IN,
    X_PITCH: x.pitch,
    X_OFFSET: x.offset,
    C_OUT: y.shape[3] ?? 0,
    Y_PITCH: y.pitch,
    Y_OFFSET: y.offset,
    HAS_BIAS: problem.inputs[2] ? 1 : 0,
    RELU_INPUT: problem.attrs.reluInput ? 1 : 0,
  };
}

/** Kernel 4, stride 2, padding 1: the decoder's up-sampling by two, which splits into four parity phases. */
export function isUpsampling(problem: Problem<ConvTranspose2dAttrs>): boolean {
  const [r, s] = operand(problem, 1).shape;
  const { stride, padding, outputPadding = [0, 0] } = problem.attrs;
  if (outputPadding.some((extra) => extra !== 0)) return false;
  return r === 4 && s === 4 && stride === 2 && padding === 1;
}

/** Stride 1 and a square kernel: a convolution with the taps reversed, padded by what the padding leaves of them. */
export function isConvolution(problem: Problem<ConvTranspose2dAttrs>): boolean {
  const [r = 0, s] = operand(problem, 1).shape;
  return r === s && problem.attrs.stride === 1 && problem.attrs.padding < r;
}

/** The convolution, or the four, that it is; null where taps would meet inserted zeros. */
export function windowOf(problem: Problem<ConvTranspose2dAttrs>): Window | null {
  if (isUpsampling(problem)) return { kernel: [2, 2], stride: 1, pad: 1, transposed: 2 };
  if (!isConvolution(problem)) return null;
  const [r = 0] = operand(problem, 1).shape;
  return { kernel: [r, r], stride: 1, pad: r - 1 - problem.attrs.padding, transposed: 1 };
}
