import {
  ceilDiv,
  grid1d,
  NONE,
  type NodePlan,
  operand,
  type Problem,
  pass,
  result,
  type Variant,
} from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { conv2d_subgroup } from "../../shaders.generated.js";
import type { ActivationAttrs } from "../activation.js";
import { typeOf, viewParams } from "../views.js";
import { epilogueFusion, gateFusion, gateOf } from "./fused.js";
import type { Conv2dAttrs } from "./op.js";
import { convolutionTile, isSubgroupSize } from "./tiles.js";

/** What a convolution and a transposed one differ in. */
export interface SubgroupConvolution {
  /** Of one phase. */
  readonly kernel: readonly [h: number, w: number];
  readonly stride: number;
  readonly pad: number;
  /** Set for a transposed convolution, which is one convolution of stride 1, or four phases of one for stride 2. */
  readonly transposed?: { readonly stride: 1 | 2 };
}

export function planSubgroup(
  problem: Problem<ActivationAttrs & { readonly reluInput?: boolean }>,
  lanes: number,
  { kernel, stride, pad, transposed }: SubgroupConvolution,
): NodePlan {
  const [x, y] = [operand(problem, 0), result(problem)];
  const [n = 0, h = 0, w = 0, cIn = 0] = x.shape;
  const [, oh = 0, ow = 0, cOut = 0] = y.shape;
  const upsample = transposed?.stride ?? 1;
  const [hGrid, wGrid] = [oh / upsample, ow / upsample];
  const pixels = n * hGrid * wGrid;
  const { rows, columns: channels, depth } = convolutionTile(lanes, pixels, cOut);
  const [acrossX, further] = grid1d(ceilDiv(pixels, rows * lanes));
  const [gate, epilogue] = [gateFusion(gateOf(problem)), epilogueFusion(problem)];
  const main = pass(conv2d_subgroup, {
    bind: { x, w: operand(problem, 1), bias: problem.inputs[2] ?? NONE, y, ...gate.bind, ...epilogue.bind },
    overrides: { RELU_INPUT: problem.attrs.reluInput ? 1 : 0, ...gate.overrides, ...epilogue.overrides },
    types: { X: typeOf(x), W: typeOf(operand(problem, 1)), Y: typeOf(y), ...epilogue.types },
    consts: { LANES: lanes, PIXELS: rows, CHANNELS: channels, DEPTH: depth },
    params: {
      pixels,
      h,
      w,
      c_in: cIn,
      ...viewParams("x", x),
      h_grid: hGrid,
      w_grid: wGrid,
      c_out: cOut,
      ...viewParams("y", y),
      kernel_h: kernel[0],
      kernel_w: kernel[1],
      stride,
      pad,
      steps: ceilDiv(cIn, depth),
      transposed: transposed ? 1 : 0,
      upsample,
      has_bias: problem.inputs[2] ? 1 : 0,
      ...gate.params,
      ...epilogue.params,
    },
    workgroups: [acrossX, ceilDiv(cOut, channels), upsample ** 2 * further],
  });
  return { passes: [main] };
}

/** Any convolution on tiles held by one subgroup, without barriers. For software adapters. */
export const subgroup: Variant<Conv2dAttrs> = {
  name: "subgroup",
  features: ["subgroups"],
  f16: true,
  accepts: (p, { subgroupSize }) => isSubgroupSize(subgroupSize) && sizeOf(result(p).shape) < 2 ** 31,
  suits: (_, { software }) => software,
  plan: (p, { subgroupSize }) => {
    const [r = 0, s = 0] = operand(p, 1).shape;
    return planSubgroup(p, subgroupSize, { kernel: [r, s], stride: p.attrs.stride, pad: p.attrs.padding });
  },
};
