/**
 * Faults that the checks of the backward kernels must notice: each replaces a piece of a shader's text, everywhere it
 * stands, by one that compiles and is wrong.
 */
import type { AnyShader } from "../../src/gpu/shader.js";
import * as shaders from "../../src/shaders.generated.js";
import { CONVOLUTIONS } from "./mutants_convolution.js";
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

const NORMALIZATION: readonly ShaderMutants[] = [
  {
    shader: shaders.norm_statistics,
    op: "batch_norm_train",
    variant: "direct",
    mutations: [
      ["sum += d;", "sum -= d;"],
      ["d * d", "d"],
      ["slice.c)] - first", "slice.c)] + first"],
      ["squares - sum * mean", "squares"],
      ["slice.begin + 1u", "slice.begin + 2u"],
      ["f32(slice.end - slice.begin)", "f32(p.slice_pixels)"],
      ["= first + mean", "= mean"],
    ],
  },
  {
    shader: shaders.norm_statistics_join,
    op: "batch_norm_train",
    variant: "direct",
    mutations: [
      [" + count * d * d", ""],
      ["- first);", "+ first);"],
      ["sum / f32(p.set_pixels)", "sum / f32(p.slices)"],
      ["squares / f32(p.set_pixels)", "squares / f32(p.set_pixels - 1u)"],
      ["p.set_pixels - slice * p.slice_pixels", "p.set_pixels"],
      ["- first - center", "- first"],
      ["= first + center", "= center"],
    ],
  },
  {
    shader: shaders.norm_apply,
    op: "batch_norm_train",
    variant: "direct",
    mutations: [
      ["- center", "+ center"],
      ["scale *= weight", "scale = weight"],
      ["shift = bias", "shift = -bias"],
      [" + p.eps", ""],
      ["inverseSqrt", "sqrt"],
      ["activate_lanes(value)", "value"],
    ],
  },
  {
    shader: shaders.norm_backward_sums,
    op: "batch_norm_backward",
    variant: "direct",
    mutations: [
      ["sum += dz", "sum -= dz"],
      ["dz * xhat", "dz"],
      [" * activation_derivative(activate_lanes(xhat * scale + shift))", ""],
      ["- center) * inverse", "- center)"],
      ["xhat * scale + shift", "xhat * scale"],
      ["xhat * scale", "xhat"],
    ],
  },
  {
    shader: shaders.norm_backward_join,
    op: "batch_norm_backward",
    variant: "direct",
    mutations: [
      ["slope_x = -scale", "slope_x = scale"],
      ["-scale * sum / count", "0.0"],
      ["* inverse * sum_xhat", "* sum_xhat"],
      ["2.0 * d_variance", "d_variance"],
      ["constant += d_mean", "constant -= d_mean"],
      ["scale *= weight[c]", "scale = weight[c]"],
      ["d_bias_offset] = sum", "d_bias_offset] = sum_xhat"],
    ],
  },
  {
    shader: shaders.norm_backward_apply,
    op: "instance_norm_backward",
    variant: "direct",
    mutations: [
      ["scale * dz", "dz"],
      ["slope_x * centered", "slope_x"],
      ["+ constant", "- constant"],
      [" * activation_derivative(activate_lanes(centered * scale + shift))", ""],
      ["3u * slice.set_index", "slice.set_index"],
      ["- center", "+ center"],
    ],
  },
];

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

export const MUTANTS: readonly ShaderMutants[] = [...NORMALIZATION, ...LINEAR, ...S2AM, ...CONVOLUTIONS];
