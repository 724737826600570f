/**
 * Faults that the checks of the kernels must notice: each replaces a piece of a shader's text, everywhere it
 * stands, by one that compiles and is wrong.
 */
import type { AnyShader } from "../../src/gpu/shader.js";
import * as shaders from "../../src/shaders.generated.js";
import { CONVOLUTIONS } from "./mutants_convolution.js";
import { FUSIONS } from "./mutants_fusion.js";
import { NORMALIZATION } from "./mutants_normalization.js";
import { S2AM } from "./mutants_s2am.js";

export interface ShaderMutants {
  readonly shader: AnyShader;
  /** Whose oracle tells. */
  readonly op: string;
  readonly variant: string;
  /** The cases to run; missing means the small ones. */
  readonly cases?: readonly string[];
  readonly mutations: readonly (readonly [text: string, wrong: string])[];
}

const LINEAR: readonly ShaderMutants[] = [
  {
    shader: shaders.activation_backward,
    op: "activation_backward",
    variant: "direct",
    mutations: [
      ["T(SLOPE)", "T(1.0)"],
      ["y + 1.0", "y"],
      ["y * (1.0 - y)", "1.0 - y"],
      ["1.0 - y * y", "1.0 + y * y"],
      ["select(T(0.0), T(1.0), y", "select(T(1.0), T(0.0), y"],
      ["* slope", "+ slope"],
    ],
  },
  {
    shader: shaders.linear_backward_input,
    op: "linear_backward_input",
    variant: "direct",
    mutations: [
      ["sum += dy", "sum -= dy"],
      ["k * p.m + m", "m * p.k + k"],
      ["m = 0u", "m = 1u"],
      ["let n = i / p.k", "let n = i % p.n"],
      ["= sum;", "= 2.0 * sum;"],
    ],
  },
  {
    shader: shaders.linear_backward_weight,
    op: "linear_backward_weight",
    variant: "direct",
    mutations: [
      ["value * dy", "dy"],
      ["n = 0u", "n = 1u"],
      ["select(1.0", "select(0.0"],
      ["sum += value", "sum -= value"],
      ["p.dw_offset, m)] = sum", "p.dw_offset, m)] = sum / f32(p.n)"],
    ],
  },
  {
    shader: shaders.channel_sum,
    op: "channel_sum",
    variant: "direct",
    mutations: [
      ["sum += x", "sum -= x"],
      ["pixel = slice.begin", "pixel = slice.begin + 1u"],
      ["pixel < slice.end", "pixel + 1u < slice.end"],
      ["slice.index, p.c", "0u, p.c"],
      ["min(begin + slice_pixels, set_pixels)", "begin + slice_pixels"],
    ],
  },
];

export const MUTANTS: readonly ShaderMutants[] = [...NORMALIZATION, ...LINEAR, ...S2AM, ...CONVOLUTIONS, ...FUSIONS];
