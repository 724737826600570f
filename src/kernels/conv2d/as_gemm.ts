/**
 * A convolution as the matrix product that kernels for real GPUs make of it. A transposed convolution of stride 1 is one
 * with its taps reversed; that of kernel 4 and stride 2 is four of kernel 2, one a parity phase of the output.
 */
import { NONE, type Operand, operand, type Pass, type Problem, pass, result, scratch } from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { conv2d_join, conv2d_weight_pack } from "../../shaders.generated.js";
import type { ActivationAttrs } from "../activation.js";
import type { Gemm } from "../gemm_tiles.js";
import { isVec4, threads, typeOf, upTo4, viewParams } from "../views.js";
import { epilogueFusion, gateFusion, gateOf, VEC4 } from "./fused.js";

/** What a convolution and a transposed one have in common. */
export type ConvolutionProblem = Problem<ActivationAttrs & { readonly reluInput?: boolean }>;

export interface Window {
  /** Of one phase. */
  readonly kernel: readonly [h: number, w: number];
  readonly stride: number;
  readonly pad: number;
  /** 0: a convolution; 1: a transposed one of stride 1; 2: an up-sampling in four phases. */
  readonly transposed: 0 | 1 | 2;
}

/** Sizes of the product, whose batches are the phases. */
export function asGemm(problem: ConvolutionProblem, { kernel: [h, w], transposed }: Window): Gemm {
  const [x, y] = [operand(problem, 0), result(problem)];
  const phases = transposed === 2 ? 4 : 1;
  const [cIn = 0, cOut = 0] = [x.shape[3], y.shape[3]];
  return {
    m: sizeOf(y.shape) / cOut / phases,
    n: upTo4(cOut),
    k: h * w * upTo4(cIn),
    batches: phases,
  };
}

/** What conv2d_implicit_gemm.wgsl and conv2d_stream.wgsl are told alike. */
export function windowParams(problem: ConvolutionProblem, { kernel, stride, pad, transposed }: Window) {
  const [x, y] = [operand(problem, 0), result(problem)];
  const [, h = 0, w = 0, cIn = 0] = x.shape;
  const [, oh = 0, ow = 0, cOut = 0] = y.shape;
  const upsample = transposed === 2 ? 2 : 1;
  return {
    h,
    w,
    c_in: cIn,
    c4: upTo4(cIn) / 4,
    ...viewParams("x", x),
    grid_h: oh / upsample,
    grid_w: ow / upsample,
    n4: upTo4(cOut) / 4,
    kernel_h: kernel[0],
    kernel_w: kernel[1],
    stride,
    pad,
    upsample,
    m: sizeOf(y.shape) / cOut / upsample ** 2,
    relu_input: problem.attrs.reluInput ? 1 : 0,
  };
}

/** How the input is loaded: four channels at once where its view allows it, those of its gate always. */
export function gatedInput(problem: ConvolutionProblem) {
  const x = operand(problem, 0);
  const X_LANES = isVec4(x) ? 4 : 1;
  return {
    ...gateFusion(gateOf(problem)),
    consts: { X_LANES, ...VEC4.consts },
    types: { X: typeOf(x, X_LANES), ...VEC4.types },
  };
}

/** Whether the gate, if there is one, can be. */
export function gatesVec4(problem: ConvolutionProblem): boolean {
  const gate = gateOf(problem);
  return gate === null || isVec4(gate);
}

/** The right matrix [phases, K, N]: the weight where it lies like that, else the pass that repacks it. */
export function weightMatrix(
  problem: ConvolutionProblem,
  window: Window,
): { readonly matrix: Operand; readonly prepare: readonly Pass[] } {
  const w = operand(problem, 1);
  const [cIn = 0, cOut = 0] = [operand(problem, 0).shape[3], result(problem).shape[3]];
  const { k, n, batches } = asGemm(problem, window);
  if (window.transposed === 0 && cIn % 4 === 0 && cOut % 4 === 0) return { matrix: w, prepare: [] };
  const size = batches * k * n;
  const matrix = scratch("weight as a matrix", size, w.dtype);
  const taps = window.kernel[0] * window.kernel[1];
  const pack = pass(conv2d_weight_pack, {
    bind: { w, u: matrix },
    types: { W: typeOf(w), U: typeOf(w) },
    params: { c_in: cIn, c_out: cOut, k_in: k / taps, n_out: n, taps, transposed: window.transposed, size },
    workgroups: threads(size),
  });
  return { matrix, prepare: [pack] };
}

/** The pass that adds up the slices of K and finishes the outputs. @param partial [phases, slices, M, N] */
export function joinPass(problem: ConvolutionProblem, window: Window, partial: Operand, slices: number): Pass {
  const y = result(problem);
  const { m, n } = asGemm(problem, window);
  const [, oh = 0, ow = 0, cOut = 0] = y.shape;
  const size = sizeOf(y.shape);
  const epilogue = epilogueFusion(problem);
  const params = {
    oh,
    ow,
    c_out: cOut,
    ...viewParams("y", y),
    size,
    upsample: window.transposed === 2 ? 2 : 1,
    m,
    n,
    slices,
    has_bias: problem.inputs[2] ? 1 : 0,
    ...epilogue.params,
  };
  return pass(conv2d_join, {
    bind: { partial, bias: problem.inputs[2] ?? NONE, y, ...epilogue.bind },
    types: { Y: typeOf(y), ...epilogue.types },
    overrides: epilogue.overrides,
    params,
    workgroups: threads(size),
  });
}
