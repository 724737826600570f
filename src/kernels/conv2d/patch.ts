/** Convolution on patches of outputs that a thread holds in registers, for software adapters without subgroups. */
import {
  type Capabilities,
  ceilDiv,
  grid1d,
  NONE,
  type NodePlan,
  operand,
  pass,
  result,
  type Variant,
} from "../../graph/op.js";
import { conv2d_patch } from "../../shaders.generated.js";
import type { ActivationAttrs } from "../activation.js";
import { tileCount } from "../tile_order/op.js";
import { typeOf, viewParams } from "../views.js";
import type { ConvolutionProblem, Window } from "./as_gemm.js";
import { compositionOf, epilogueFusion, gateFusion, gateOf, orderOf } from "./fused.js";

/** Output channels a thread. */
const CHANNELS = 8;
const THREADS = 64;

function planPatch(problem: ConvolutionProblem, window: Window): NodePlan {
  const { kernel, stride, pad, transposed } = window;
  const [x, y] = [operand(problem, 0), result(problem)];
  const [n = 0, h = 0, w = 0, cIn = 0] = x.shape;
  const [, oh = 0, ow = 0, cOut = 0] = y.shape;
  const upsample = transposed === 2 ? 2 : 1;
  const [gridH, gridW] = [oh / upsample, ow / upsample];
  const patches = tileCount([n, gridH, gridW]);
  const groups = ceilDiv(cOut, CHANNELS);
  const [gate, epilogue] = [gateFusion(gateOf(problem)), epilogueFusion(problem)];
  // A composition tells by its mask which patches it needs, so that the mask's binding is free for the order of the others.
  const order = compositionOf(problem) ? null : orderOf(problem);
  const [across, further] = grid1d(ceilDiv(patches.size * groups, THREADS));
  const main = pass(conv2d_patch, {
    bind: {
      x,
      w: operand(problem, 1),
      bias: problem.inputs[2] ?? NONE,
      y,
      ...gate.bind,
      ...epilogue.bind,
      ...(order && { mask: order }),
    },
    consts: { CHANNELS },
    types: { X: typeOf(x), W: typeOf(operand(problem, 1)), Y: typeOf(y), ...epilogue.types },
    overrides: {
      WG: THREADS,
      RELU_INPUT: problem.attrs.reluInput ? 1 : 0,
      ORDERED: order ? 1 : 0,
      ...gate.overrides,
      ...epilogue.overrides,
    },
    params: {
      h,
      w,
      c_in: cIn,
      ...viewParams("x", x),
      grid_h: gridH,
      grid_w: gridW,
      c_out: cOut,
      ...viewParams("y", y),
      kernel_h: kernel[0],
      kernel_w: kernel[1],
      stride,
      pad,
      upsample,
      transposed: transposed ? 1 : 0,
      high: patches.high,
      wide: patches.wide,
      patches: patches.size,
      groups,
      has_bias: problem.inputs[2] ? 1 : 0,
      ...gate.params,
      ...epilogue.params,
    },
    workgroups: [across, further, upsample ** 2],
  });
  return { passes: [main] };
}

/** @param windowOf the convolution that a problem is, or null where it is none */
export const patchVariant = <Attrs extends ActivationAttrs & { readonly reluInput?: boolean }>(
  windowOf: (problem: Parameters<Variant<Attrs>["plan"]>[0]) => Window | null,
): Variant<Attrs> => ({
  name: "patch",
  features: [],
  f16: true,
  accepts: (problem) => windowOf(problem) !== null,
  suits: (_, { software }: Capabilities) => software,
  plan: (problem) => {
    const window = windowOf(problem);
    if (!window) throw new Error(`${problem.op}: patch was asked to plan what it declines`);
    return planPatch(problem, window);
  },
});
