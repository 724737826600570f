import {
  ceilDiv,
  NONE,
  type Operand,
  operand,
  type Pass,
  type Problem,
  pass,
  result,
  type Variant,
} from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { conv2d_implicit_gemm } from "../../shaders.generated.js";
import { isVec4, typeOf } from "../views.js";
import { epilogueFusion, fusesVec4, gateFusion, gateOf, VEC4 } from "./fused.js";
import type { Conv2dAttrs } from "./op.js";
import { conv2dOverrides } from "./problem.js";

/** The pass of a convolution, or of a transposed one of stride 1 whose weight and padding were turned into it. */
export function implicitGemmPass(
  problem: Problem<Conv2dAttrs & { readonly reluInput?: boolean }>,
  w: Operand,
  PAD: number,
): Pass {
  const [x, y] = [operand(problem, 0), result(problem)];
  const [gate, epilogue] = [gateFusion(gateOf(problem)), epilogueFusion(problem, 4)];
  const overrides = { ...conv2dOverrides(problem), PAD, RELU_INPUT: problem.attrs.reluInput ? 1 : 0 };
  const M = sizeOf(y.shape) / overrides.C_OUT;
  const [X4, W4, Y4] = [typeOf(x, 4), typeOf(operand(problem, 1), 4), typeOf(y, 4)];
  return pass(conv2d_implicit_gemm, {
    consts: VEC4.consts,
    // A gate's products need more bits than x came with.
    types: { ...VEC4.types, X4, W4, Y4, A4: gateOf(problem) ? "vec4<f32>" : X4, B4: W4, ...epilogue.types },
    bind: { x, w, bias: problem.inputs[2] ?? NONE, y, ...gate.bind, ...epilogue.bind },
    overrides: { ...overrides, M, ...gate.overrides, ...epilogue.overrides },
    params: { ...gate.params, ...epilogue.params },
    workgroups: [ceilDiv(M, 64), ceilDiv(overrides.C_OUT, 64), 1],
  });
}

/** 64 x 64 tiles in workgroup memory: for real GPUs. On a CPU its barriers cost more than they save. */
export const implicitGemm: Variant<Conv2dAttrs> = {
  name: "implicit_gemm",
  features: [],
  f16: true,
  accepts: (p) => isVec4(operand(p, 0)) && isVec4(result(p)) && fusesVec4(p),
  suits: (_, { software }) => !software,
  plan: (p) => ({ passes: [implicitGemmPass(p, operand(p, 1), p.attrs.padding)] }),
};
