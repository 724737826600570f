/** A fully connected layer with bias and activation as its epilogue: y = activation(x w + bias). */
import { ShapeError } from "../../errors.js";
import {
  type ApplyOptions,
  apply,
  ceilDiv,
  defineOp,
  NONE,
  operand,
  type Problem,
  pass,
  result,
  shapeOf,
  type Variant,
} from "../../graph/op.js";
import { showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { linear_direct, linear_workgroup } from "../../shaders.generated.js";
import { type ActivationAttrs, activationOverrides } from "../activation.js";
import { beforeActivation } from "../activation_backward/op.js";
import { expectShape, f32, present } from "../expect.js";
import { linearBackwardInput } from "../linear_backward_input/op.js";
import { linearBackwardWeight } from "../linear_backward_weight/op.js";
import { threads, viewOverrides } from "../views.js";

const bindings = (p: Problem<ActivationAttrs>) => ({
  x: operand(p, 0),
  w: operand(p, 1),
  bias: p.inputs[2] ?? NONE,
  y: result(p),
});

const overridesOf = (p: Problem<ActivationAttrs>) => ({
  K: operand(p, 0).shape[1] ?? 0,
  M: result(p).shape[1] ?? 0,
  ...viewOverrides("X", operand(p, 0)),
  ...viewOverrides("Y", result(p)),
  HAS_BIAS: p.inputs[2] ? 1 : 0,
  ...activationOverrides(p.attrs),
});

/** 256 threads for 16 outputs: a direct thread would walk K alone while the GPU idles. */
const workgroup: Variant<ActivationAttrs> = {
  name: "workgroup",
  features: [],
  accepts: (p, { limits }) => (result(p).shape[0] ?? 0) <= limits.maxComputeWorkgroupsPerDimension,
  suits: (_, { software }) => !software,
  plan: (p) => {
    const [N = 0, M = 0] = result(p).shape;
    const workgroups = [ceilDiv(M, 16), N, 1] as const;
    return { passes: [pass(linear_workgroup, { bind: bindings(p), overrides: overridesOf(p), workgroups })] };
  },
};

/** One thread an output: the readable variant, which accepts everything. */
const direct: Variant<ActivationAttrs> = {
  name: "direct",
  features: [],
  accepts: () => true,
  plan: (p) => {
    const SIZE = sizeOf(result(p).shape);
    const overrides = { ...overridesOf(p), SIZE };
    return { passes: [pass(linear_direct, { bind: bindings(p), overrides, workgroups: threads(SIZE) })] };
  },
};

export const linearOp = defineOp<ActivationAttrs>({
  name: "linear",
  infer([x, w, bias]) {
    const [shape, weight] = [present("linear", "x", x), present("linear", "weight", w)];
    const [n, k] = shape;
    const [rows, m] = weight;
    if (shape.length !== 2 || weight.length !== 2 || n === undefined || m === undefined || k !== rows) {
      throw new ShapeError(
        `linear: x must be [N,K] and weight [K,M], got ${showShape(shape)} and ${showShape(weight)}`,
      );
    }
    if (bias) expectShape("linear", "bias", bias, [m], `weight ${showShape(weight)}`);
    return f32([n, m]);
  },
  flops: ([x], [y]) => 2 * (shapeOf(x)[1] ?? 0) * sizeOf(shapeOf(y)),
  vjp({ inputs: [x, w, bias], outputs: [y], attrs, needs }, [dy]) {
    if (!dy || !x || !w) return [];
    const dz = beforeActivation(dy, y, attrs);
    const { dw, dBias } = needs[1] || needs[2] ? linearBackwardWeight(x, dz, { bias: Boolean(bias) }) : {};
    return [needs[0] ? linearBackwardInput(dz, w) : null, dw ?? null, dBias ?? null];
  },
  variants: [workgroup, direct],
});

/**
 * @param x [N, K]
 * @param w [K, M]: the transpose of PyTorch's
 * @param bias [M] or null
 * @returns [N, M]
 */
export const linear = (
  x: Tensor,
  w: Tensor,
  bias: Tensor | null,
  attrs: ActivationAttrs = {},
  options?: ApplyOptions,
): Tensor => apply(linearOp, [x, w, bias], attrs, options);
