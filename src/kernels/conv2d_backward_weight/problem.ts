/** The numbers of a weight gradient that its shaders share. */
import { operand, type Problem } from "../../graph/op.js";
import { viewParams } from "../views.js";
import type { Conv2dBackwardWeightAttrs } from "./op.js";

export function backwardWeightParams(problem: Problem<Conv2dBackwardWeightAttrs>) {
  const [x, dy] = [operand(problem, 0), operand(problem, 1)];
  const [, h = 0, w = 0, c_in = 0] = x.shape;
  const [, oh = 0, ow = 0, c_out = 0] = dy.shape;
  return { h, w, c_in, oh, ow, c_out, pad: problem.attrs.padding, ...viewParams("x", x), ...viewParams("dy", dy) };
}
