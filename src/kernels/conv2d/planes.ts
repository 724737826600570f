/**
 * A convolution on planes of its input, padded, and panels of its weight: for maps with many channels on software adapters.
 * There what a kernel reads should lie as it is read: NHWC's pixels and a weight's rows lie multiples of 4 KiB apart, where
 * they push each other out of a cache.
 */
import {
  type Capabilities,
  ceilDiv,
  NONE,
  type NodePlan,
  operand,
  pass,
  result,
  scratch,
  type Variant,
} from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { conv2d_planes, conv2d_subgroup_planes, conv2d_weight_panels } from "../../shaders.generated.js";
import type { ActivationAttrs } from "../activation.js";
import { isVec4, threads, typeOf, viewParams } from "../views.js";
import { type ConvolutionProblem, gatesVec4, type Window } from "./as_gemm.js";
import { epilogueFusion, gateFusion, gateOf, VEC4 } from "./fused.js";
import { isSubgroupSize, planesThreshold, productTile } from "./tiles.js";

const MOST_WORKGROUPS = 65535;

function sizes(problem: ConvolutionProblem, { kernel, stride, pad, transposed }: Window, lanes: number) {
  const [x, y] = [operand(problem, 0), result(problem)];
  const [n = 0, h = 0, w = 0, cIn = 0] = x.shape;
  const [, oh = 0, ow = 0, cOut = 0] = y.shape;
  const upsample = transposed === 2 ? 2 : 1;
  const [gridH, gridW] = [oh / upsample, ow / upsample];
  // As far as the last window of the last phase; an input may end in a row or column that no window reaches.
  const reach = (grid: number, taps: number): number => (grid - 1) * stride + upsample - 1 + taps;
  const [planeH, planeW] = [Math.max(h + pad, reach(gridH, kernel[0])), Math.max(w + pad, reach(gridW, kernel[1]))];
  const pixels = n * gridH * gridW;
  const { rows, columns } = productTile(lanes, pixels, Math.max(8, cOut));
  const blocks = ceilDiv(cOut, columns);
  const panel = kernel[0] * kernel[1] * cIn * columns;
  return {
    ...{ n, h, w, cIn, cOut, upsample, gridH, gridW, planeH, planeW, pixels, rows, columns, blocks, panel },
    planes: n * cIn * planeH * planeW,
    weights: upsample ** 2 * blocks * panel,
  };
}

function planPlanes(problem: ConvolutionProblem, window: Window, lanes: number): NodePlan {
  const [x, weight, y] = [operand(problem, 0), operand(problem, 1), result(problem)];
  const { n, h, w, cIn, cOut, upsample, planeH, planeW, rows, columns, blocks, panel, ...size } = sizes(
    problem,
    window,
    lanes,
  );
  const { kernel, stride, pad } = window;
  const v = scratch("input in planes", size.planes);
  const u = scratch("weight in panels", size.weights);

  const four = isVec4(x) && gatesVec4(problem);
  const unit = four ? 4 : 1;
  const gate = gateFusion(gateOf(problem));
  const { x_pitch, x_offset } = viewParams("x", x);
  const toPlanes = pass(conv2d_planes, {
    bind: { x, v, ...gate.bind },
    overrides: gate.overrides,
    ...(four ? { consts: VEC4.consts } : {}),
    types: { X: typeOf(x, unit), ...(four ? VEC4.types : {}) },
    params: {
      h,
      w,
      channels: cIn / unit,
      x_pitch: x_pitch / unit,
      x_offset: x_offset / unit,
      pad,
      plane_h: planeH,
      plane_w: planeW,
      plane: planeH * planeW,
      relu_input: problem.attrs.reluInput ? 1 : 0,
      size: size.planes / unit,
      ...gate.params,
    },
    workgroups: threads(size.planes / unit),
  });
  const prepare = pass(conv2d_weight_panels, {
    bind: { w: weight, u },
    types: { W: typeOf(weight) },
    params: {
      c_in: cIn,
      c_out: cOut,
      columns,
      blocks,
      kernel_h: kernel[0],
      kernel_w: kernel[1],
      upsample,
      transposed: window.transposed === 0 ? 0 : 1,
      size: size.weights / 4,
    },
    workgroups: threads(size.weights / 4),
  });
  const epilogue = epilogueFusion(problem);
  const main = pass(conv2d_subgroup_planes, {
    bind: { v, w: u, bias: problem.inputs[2] ?? NONE, y, ...epilogue.bind },
    overrides: epilogue.overrides,
    types: { Y: typeOf(y), ...epilogue.types },
    consts: { LANES: lanes, ROWS: rows, COLUMNS: columns },
    params: {
      pixels: size.pixels,
      channels: cIn,
      plane: planeH * planeW,
      plane_w: planeW,
      h_grid: size.gridH,
      w_grid: size.gridW,
      c_out: cOut,
      ...viewParams("y", y),
      kernel_h: kernel[0],
      pairs: kernel[1] / 2,
      steps: (cIn * kernel[0] * kernel[1]) / 2,
      to_row: planeW - kernel[1],
      to_channel: planeH * planeW - kernel[0] * planeW,
      stride,
      upsample,
      panel,
      has_bias: problem.inputs[2] ? 1 : 0,
      ...epilogue.params,
    },
    workgroups: [ceilDiv(size.pixels, rows * lanes), blocks, upsample ** 2],
  });
  return { prepare: [prepare], passes: [toPlanes, main] };
}

/** Kernels of an even width alone, whose taps make pairs. */
function acceptsPlanes(problem: ConvolutionProblem, window: Window, { subgroupSize, limits }: Capabilities): boolean {
  if (!isSubgroupSize(subgroupSize) || window.kernel[1] % 2 !== 0) return false;
  const { planes, weights, pixels, blocks, rows } = sizes(problem, window, subgroupSize);
  return (
    4 * Math.max(planes, weights) <= limits.maxStorageBufferBindingSize &&
    Math.max(ceilDiv(pixels, rows * subgroupSize), blocks) <= MOST_WORKGROUPS &&
    sizeOf(result(problem).shape) < 2 ** 31
  );
}

/** Whether there is enough to multiply to make up for copying the input, and for repacking weights that training changes. */
function suitsPlanes(problem: ConvolutionProblem, window: Window, { software, subgroupSize }: Capabilities): boolean {
  const { cIn, cOut, pixels } = sizes(problem, window, subgroupSize);
  const threshold = planesThreshold(subgroupSize);
  const fewest = operand(problem, 1).constant ? 1 : threshold.pixels;
  return software && cIn >= threshold.cIn && cOut >= threshold.cOut && pixels >= fewest;
}

/** @param windowOf the convolution that a problem is, or null where it is none */
export const planesVariant = <Attrs extends ActivationAttrs & { readonly reluInput?: boolean }>(
  windowOf: (problem: Parameters<Variant<Attrs>["plan"]>[0]) => Window | null,
): Variant<Attrs> => ({
  name: "subgroup_planes",
  features: ["subgroups"],
  f16: true,
  accepts: (problem, capabilities) => {
    const window = windowOf(problem);
    return window !== null && acceptsPlanes(problem, window, capabilities);
  },
  suits: (problem, capabilities) => {
    const window = windowOf(problem);
    return window !== null && suitsPlanes(problem, window, capabilities);
  },
  plan: (problem, { subgroupSize }) => {
    const window = windowOf(problem);
    if (!window) throw new Error(`${problem.op}: subgroup_planes was asked to plan what it declines`);
    return planPlanes(problem, window, subgroupSize);
  },
});
