import { ceilDiv, NONE, operand, pass, result, type Variant } from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { conv2d_implicit_gemm } from "../../shaders.generated.js";
import { isVec4 } from "../views.js";
import type { Conv2dAttrs } from "./op.js";
import { conv2dOverrides } from "./problem.js";

/** 64 x 64 tiles in workgroup memory: for real GPUs. On a CPU its barriers cost more than they save. */
export const implicitGemm: Variant<Conv2dAttrs> = {
  name: "implicit_gemm",
  features: [],
  accepts: (p) => isVec4(operand(p, 0)) && isVec4(result(p)),
  suits: (_, { software }) => !software,
  plan: (p) => {
    const overrides = conv2dOverrides(p);
    const M = sizeOf(result(p).shape) / overrides.C_OUT;
    const bind = { x: operand(p, 0), w: operand(p, 1), bias: p.inputs[2] ?? NONE, y: result(p) };
    const workgroups = [ceilDiv(M, 64), ceilDiv(overrides.C_OUT, 64), 1] as const;
    return { passes: [pass(conv2d_implicit_gemm, { bind, overrides: { ...overrides, M }, workgroups })] };
  },
};
