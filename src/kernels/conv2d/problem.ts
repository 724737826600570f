/** The numbers of a convolution that all its shaders share. */
import { operand, type Problem, result } from "../../graph/op.js";
import type { Window } from "./as_gemm.js";
import type { Conv2dAttrs } from "./op.js";

export function conv2dOverrides(problem: Problem<Conv2dAttrs>) {
  const x = operand(problem, 0);
  const y = result(problem);
  const [, H = 0, W = 0, C_IN = 0] = x.shape;
  const [, OH = 0, OW = 0, C_OUT = 0] = y.shape;
  const [R = 0, S = 0] = operand(problem, 1).shape;
  return {
    H,
    W,
    C_IN,
    X_PITCH: x.pitch,
    X_OFFSET: x.offset,
    R,
    S,
    STRIDE: problem.attrs.stride,
    PAD: problem.attrs.padding,
    OH,
    OW,
    C_OUT,
    Y_PITCH: y.pitch,
    Y_OFFSET: y.offset,
    HAS_BIAS: problem.inputs[2] ? 1 : 0,
  };
}

export function windowOf(problem: Problem<Conv2dAttrs>): Window {
  const [r = 0, s = 0] = operand(problem, 1).shape;
  return { kernel: [r, s], stride: problem.attrs.stride, pad: problem.attrs.padding, transposed: 0 };
}
