import {
  type Capabilities,
  ceilDiv,
  NONE,
  type NodePlan,
  operand,
  type Problem,
  pass,
  result,
  type Variant,
} from "../../graph/op.js";
import { conv2d_subgroup_3x3 } from "../../shaders.generated.js";
import type { ActivationAttrs } from "../activation.js";
import { typeOf, viewParams } from "../views.js";
import { epilogueFusion, gateFusion, gateOf } from "./fused.js";
import type { Conv2dAttrs } from "./op.js";
import { isSubgroupSize, tile3x3 } from "./tiles.js";

/** Whether a convolution, or a transposed one, is 3x3 of stride 1 and padding 1: the same form either way. */
export function is3x3(problem: Problem<{ readonly stride: number; readonly padding: number }>): boolean {
  const [r, s] = operand(problem, 1).shape;
  return r === 3 && s === 3 && problem.attrs.stride === 1 && problem.attrs.padding === 1;
}

/** A tall tile on a map of few rows would mostly compute what it throws away. */
export const suits3x3 = (problem: Problem<unknown>, { software, subgroupSize }: Capabilities): boolean =>
  software && (result(problem).shape[1] ?? 0) > tile3x3(subgroupSize).ROWS / 2;

export function plan3x3(
  problem: Problem<ActivationAttrs & { readonly reluInput?: boolean }>,
  lanes: number,
  { transposed }: { readonly transposed: boolean },
): NodePlan {
  const [x, y] = [operand(problem, 0), result(problem)];
  const [n = 0, h = 0, w = 0, cIn = 0] = x.shape;
  const cOut = y.shape[3] ?? 0;
  const { ROWS, CHANNELS } = tile3x3(lanes);
  const [gate, epilogue] = [gateFusion(gateOf(problem)), epilogueFusion(problem)];
  const main = pass(conv2d_subgroup_3x3, {
    bind: { x, w: operand(problem, 1), bias: problem.inputs[2] ?? NONE, y, ...gate.bind, ...epilogue.bind },
    overrides: { RELU_INPUT: problem.attrs.reluInput ? 1 : 0, ...gate.overrides, ...epilogue.overrides },
    types: { X: typeOf(x), W: typeOf(operand(problem, 1)), Y: typeOf(y), ...epilogue.types },
    consts: { LANES: lanes, ROWS, CHANNELS },
    params: {
      h,
      w,
      c_in: cIn,
      ...viewParams("x", x),
      c_out: cOut,
      ...viewParams("y", y),
      transposed: transposed ? 1 : 0,
      has_bias: problem.inputs[2] ? 1 : 0,
      ...gate.params,
      ...epilogue.params,
    },
    workgroups: [ceilDiv(w, lanes), n * ceilDiv(h, ROWS), ceilDiv(cOut, CHANNELS)],
  });
  return { passes: [main] };
}

/** 3x3 of stride 1 on tiles held by one subgroup, each input loaded once for its nine taps. For software adapters. */
export const subgroup3x3: Variant<Conv2dAttrs> = {
  name: "subgroup_3x3",
  features: ["subgroups"],
  f16: true,
  accepts: (p, { subgroupSize }) => is3x3(p) && isSubgroupSize(subgroupSize),
  suits: suits3x3,
  plan: (p, { subgroupSize }) => plan3x3(p, subgroupSize, { transposed: false }),
};
