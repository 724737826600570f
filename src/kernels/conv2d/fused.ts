/**
 * What convolutions fuse, for all their variants: a channel gate on x, as it is read; an addend, S2AM's composition or
 * a ReLU's derivative, in the epilogue. A variant spreads what `gateFusion` and `epilogueFusion` give into its passes, whose shaders use
 * lib/input_gate and lib/epilogue.
 */
import { NONE, type Operand, type Problem, result, type TensorView } from "../../graph/op.js";
import { type Shape, showShape, type Tensor, type TensorSpec } from "../../graph/tensor.js";
import { type ActivationAttrs, activationOverrides } from "../activation.js";
import { expectF32, expectShape } from "../expect.js";
import { tileCount } from "../tile_order/op.js";
import { isVec4, typeOf, viewParams } from "../views.js";

/**
 * Inputs of conv2d, conv_transpose2d and conv2d_compose; each op has some of them, after x, weight and bias. `tiles` is
 * an order of tile_order, which a variant may leave unheeded.
 */
export const FUSED = { gate: 3, addend: 4, features: 5, gates: 6, mask: 7, positive: 8, tiles: 9 } as const;

/** The inputs as `FUSED` numbers them, without absent ones at the end. */
export function fusedInputs(
  x: Tensor,
  w: Tensor,
  bias: Tensor | null,
  fused: Partial<Record<keyof typeof FUSED, Tensor | null | undefined>>,
): (Tensor | null)[] {
  const inputs: (Tensor | null)[] = [x, w, bias];
  for (const [name, index] of Object.entries(FUSED)) {
    const tensor = fused[name as keyof typeof FUSED];
    if (!tensor) continue;
    while (inputs.length < index) inputs.push(null);
    inputs[index] = tensor;
  }
  return inputs;
}

const fusedOf = ({ inputs }: Problem<unknown>, name: keyof typeof FUSED): TensorView | null =>
  inputs[FUSED[name]] ?? null;

/** Operands that shaders of four channels a thread read as vec4s. */
export const fusedVectors = (problem: Problem<unknown>): TensorView[] =>
  (["gate", "addend", "features", "gates", "positive"] as const).flatMap((name) => fusedOf(problem, name) ?? []);

/** Whether those can be. */
export const fusesVec4 = (problem: Problem<unknown>): boolean => fusedVectors(problem).every(isVec4);

/** For passes whose shaders read them so. */
export const VEC4 = { consts: { VECTOR: 4 }, types: { T: "vec4<f32>" } } as const;

interface Fusion<Binding extends string, Override extends string, Param extends string> {
  readonly bind: Readonly<Record<Binding, Operand>>;
  readonly overrides: Readonly<Record<Override, number>>;
  readonly params: Readonly<Record<Param, number>>;
}

/** @param gate [N, C_in], or null */
export function gateFusion(gate: TensorView | null): Fusion<"gate", "GATED", "gate_pitch" | "gate_offset"> {
  return { bind: { gate: gate ?? NONE }, overrides: { GATED: gate ? 1 : 0 }, params: viewParams("gate", gate) };
}

/** @throws ShapeError for an order of another number of tiles than the result has */
export function expectTiles(op: string, tiles: TensorSpec | null | undefined, shape: Shape): void {
  if (!tiles) return;
  expectF32(op, "tiles", tiles);
  expectShape(op, "tiles", tiles, [1 + tileCount(shape).size], `y ${showShape(shape)}`);
}

/** The order of the tiles of y, some of which may be left out. One that lies inside another tensor is left unheeded. */
export function orderOf(problem: Problem<unknown>): TensorView | null {
  const order = fusedOf(problem, "tiles");
  return order?.offset === 0 ? order : null;
}

/** What equation (1) composes with, where a problem does. */
export function compositionOf(problem: Problem<unknown>): { features: TensorView; gates: TensorView } | null {
  const [features, gates] = [fusedOf(problem, "features"), fusedOf(problem, "gates")];
  return features && gates ? { features, gates } : null;
}

export const gateOf = (problem: Problem<unknown>): TensorView | null => fusedOf(problem, "gate");

/** For passes that leave the epilogue to a later one. */
export const NO_EPILOGUE = {
  bind: { beside: NONE, gates: NONE, mask: NONE },
  overrides: { ADDS: 0, COMPOSES: 0, CUTS: 0, ...activationOverrides({}) },
  types: {},
  params: { ...viewParams("beside", null), ...viewParams("gates", null), gates_c: 0, ...viewParams("mask", null) },
} as const;

/** @param lanes channels that the shader handles at once */
export function epilogueFusion(problem: Problem<ActivationAttrs>, lanes: 1 | 4 = 1) {
  const [addend, features] = [fusedOf(problem, "addend"), fusedOf(problem, "features")];
  const [gates, mask] = [fusedOf(problem, "gates"), fusedOf(problem, "mask")];
  const positive = fusedOf(problem, "positive");
  const beside = addend ?? features ?? positive;
  return {
    bind: { beside: beside ?? NONE, gates: gates ?? NONE, mask: mask ?? NONE },
    overrides: {
      ADDS: addend ? 1 : 0,
      COMPOSES: features ? 1 : 0,
      CUTS: positive ? 1 : 0,
      ...activationOverrides(problem.attrs),
    },
    types: { BESIDE: typeOf(beside ?? { dtype: "f32" }, lanes) },
    params: {
      ...viewParams("beside", beside),
      ...viewParams("gates", gates),
      gates_c: result(problem).shape[3] ?? 0,
      ...viewParams("mask", mask),
    },
  };
}
