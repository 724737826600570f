import {
  ceilDiv,
  NONE,
  type Operand,
  operand,
  type Pass,
  type Problem,
  pass,
  result,
  type Scratch,
  type Variant,
} from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { conv2d_subgroup } from "../../shaders.generated.js";
import { type ActivationAttrs, activationOverrides } from "../activation.js";
import type { Conv2dAttrs } from "./op.js";
import { packSubgroup } from "./pack.js";

/** Lanes that the tiles' loads divide into. */
export const isSubgroupSize = (size: number): boolean => size === 4 || size === 8 || size === 16;

const DEPTH = 4;

/** Output channels a subgroup: 32 where there are as many, fewer for thin outputs. */
const channelsOf = (cOut: number): number => (cOut <= 4 ? 4 : cOut <= 8 ? 8 : cOut <= 16 ? 16 : 32);

/** Pixels a lane: 4 is the fastest on lavapipe where there are enough; small maps would leave lanes idle. */
const pixelsOf = (pixels: number, lanes: number): number => (pixels <= lanes ? 1 : pixels <= 2 * lanes ? 2 : 4);

export interface SubgroupTiling {
  readonly weight: { readonly packed: Scratch; readonly prepare: Pass };
  readonly channels: number;
}

export function packForSubgroup(problem: Problem<unknown>, transposed: boolean): SubgroupTiling {
  const channels = channelsOf(result(problem).shape[3] ?? 0);
  return {
    channels,
    weight: packSubgroup(operand(problem, 1), { channels, depth: DEPTH, tapInside: false, transposed }),
  };
}

/** The pass that convolutions and the four phases of transposed ones share. */
export function subgroupPass(
  problem: Problem<ActivationAttrs & { readonly reluInput?: boolean }>,
  { weight, channels }: SubgroupTiling,
  lanes: number,
  kernel: {
    readonly size: readonly [h: number, w: number];
    readonly stride: number;
    readonly pad: number;
    readonly upsample: 1 | 2;
  },
): Pass {
  const [x, y] = [operand(problem, 0), result(problem)];
  const [n = 0, h = 0, w = 0, cIn = 0] = x.shape;
  const [, oh = 0, ow = 0, cOut = 0] = y.shape;
  const [hGrid, wGrid] = [oh / kernel.upsample, ow / kernel.upsample];
  const pixels = n * hGrid * wGrid;
  const PIXELS = pixelsOf(pixels, lanes);
  const bias: Operand = problem.inputs[2] ?? NONE;
  return pass(conv2d_subgroup, {
    bind: { x, w: weight.packed, bias, y },
    overrides: {
      UPSAMPLE: kernel.upsample,
      HAS_BIAS: problem.inputs[2] ? 1 : 0,
      RELU_INPUT: problem.attrs.reluInput ? 1 : 0,
      ...activationOverrides(problem.attrs),
    },
    consts: { LANES: lanes, PIXELS, CHANNELS: channels, DEPTH },
    params: {
      pixels,
      h,
      w,
      c_in: cIn,
      x_pitch: x.pitch,
      x_offset: x.offset,
      h_grid: hGrid,
      w_grid: wGrid,
      c_out: cOut,
      y_pitch: y.pitch,
      y_offset: y.offset,
      kernel_h: kernel.size[0],
      kernel_w: kernel.size[1],
      stride: kernel.stride,
      pad: kernel.pad,
      steps: ceilDiv(cIn, DEPTH),
    },
    workgroups: [ceilDiv(pixels, PIXELS * lanes), ceilDiv(cOut, channels), kernel.upsample ** 2],
  });
}

/** Any convolution on tiles held by one subgroup, without barriers. For software adapters. */
export const subgroup: Variant<Conv2dAttrs> = {
  name: "subgroup",
  features: ["subgroups"],
  accepts: (p, { subgroupSize }) => isSubgroupSize(subgroupSize) && sizeOf(result(p).shape) < 2 ** 31,
  suits: (_, { software }) => software,
  plan: (p, { subgroupSize }) => {
    const [r = 0, s = 0] = operand(p, 1).shape;
    const tiling = packForSubgroup(p, false);
    const main = subgroupPass(p, tiling, subgroupSize, {
      size: [r, s],
      stride: p.attrs.stride,
      pad: p.attrs.padding,
      upsample: 1,
    });
    return { prepare: [tiling.weight.prepare], passes: [main] };
  },
};
