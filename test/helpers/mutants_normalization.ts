/** The mutants of the normalizations, forward and backward: see mutants.ts. */
import * as shaders from "../../src/shaders.generated.js";
import type { ShaderMutants } from "./mutants.js";

export const NORMALIZATION: readonly ShaderMutants[] = [
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
