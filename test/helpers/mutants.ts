/**
 * Faults that the checks of the backward kernels must notice: each replaces a piece of a shader's text, everywhere it
 * stands, by one that compiles and is wrong.
 */
import type { AnyShader } from "../../src/gpu/shader.js";
import * as shaders from "../../src/shaders.generated.js";
import { CONVOLUTIONS } from "./mutants_convolution.js";

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

const S2AM: readonly ShaderMutants[] = [
  {
    shader: shaders.attention_gates_backward_units,
    op: "attention_gates_backward",
    variant: "direct",
    mutations: [
      ["* g * (1.0 - g)", "* g"],
      ["> 0.0) {", ">= -1.0) {"],
      ["unit % p.hidden * p.c", "unit * p.c"],
      ["(gate - 1u) * p.c", "0u"],
      ["sum += before_sigmoid", "sum -= before_sigmoid"],
    ],
  },
  {
    shader: shaders.attention_gates_backward,
    op: "attention_gates_backward",
    variant: "direct",
    mutations: [
      ["n = 0u; n < p.n", "n = 1u; n < p.n"],
      ["gate = 0u; gate < 3u", "gate = 1u; gate < 3u"],
      ["sum += dz", "sum -= dz"],
      ["place / p.hidden]", "place % p.hidden]"],
      ["let unit = gate * p.hidden + ", "let unit = "],
      ["gate * p.hidden + unit]", "unit]"],
    ],
  },
  {
    shader: shaders.attention_gates_workgroup,
    op: "attention_gates",
    variant: "workgroup",
    mutations: [
      ["value > largest", "value >= largest"],
      ["sum / f32(p.pixels)", "sum / f32(p.h)"],
      ["k += count", "k += count + 1u"],
      ["part < count", "part + 1u < count"],
      ["max(sum, 0.0)", "sum"],
      ["(gate - 1u) * p.c", "0u"],
      ["gate * (3u", "0u * (3u"],
    ],
  },
  {
    shader: shaders.attention_gates_direct,
    op: "attention_gates",
    variant: "direct",
    mutations: [
      ["gate * p.hidden + unit", "unit"],
      ["sigmoid(sum)", "sum"],
      ["(gate - 1u) * p.c", "0u"],
    ],
  },
  {
    shader: shaders.conv2d_direct,
    op: "conv2d_compose",
    variant: "direct",
    mutations: [
      ["feature * mixing", "feature"],
      ["(1.0 - inside) * feature", "feature"],
      ["ep.gates_offset + ep.gates_c", "ep.gates_offset"],
      ["place_of(image, ep.gates_pitch", "place_of(0u, ep.gates_pitch"],
    ],
  },
  {
    shader: shaders.conv2d_direct,
    op: "conv2d",
    variant: "direct",
    mutations: [
      ["* gate_of(n, c)", ""],
      ["gate_of(n, c)", "gate_of(0u, c)"],
      ["sum + beside", "sum - beside"],
      [
        "activate_lanes(sum + beside[place_of(pixel, ep.beside_pitch, ep.beside_offset, c)])",
        "activate_lanes(sum) + beside[place_of(pixel, ep.beside_pitch, ep.beside_offset, c)]",
      ],
    ],
  },
  {
    shader: shaders.global_pool_backward,
    op: "global_pool_backward",
    variant: "direct",
    mutations: [
      ["/ f32(p.set_pixels)", "/ f32(p.slice_pixels)"],
      ["average + select", "select"],
      ["winner == T(place)", "winner != T(place)"],
      ["slice.c + p.c / LANES", "slice.c"],
      [" - slice.set_index * p.set_pixels", ""],
    ],
  },
  {
    shader: shaders.global_pool_rows,
    op: "global_pool",
    variant: "direct",
    mutations: [
      ["value > largest", "value >= largest"],
      ["value > largest", "value < largest"],
      ["T(f32(column))", "T(f32(row * W + column))"],
      ["sum += value", "sum += largest"],
      ["row * W + column, X_PITCH", "column, X_PITCH"],
    ],
  },
  {
    shader: shaders.global_pool_join,
    op: "global_pool",
    variant: "direct",
    mutations: [
      ["value > largest", "value >= largest"],
      ["row * W + column", "row + column"],
      ["/ f32(H * W)", "/ f32(H)"],
      ["row = h", "row = 0u"],
      ["h = 0u", "h = 1u"],
    ],
  },
  {
    shader: shaders.channel_gate_backward,
    op: "channel_gate_backward",
    variant: "direct",
    mutations: [
      ["d * gate", "d"],
      ["sum += d", "sum -= d"],
      ["sum += d *", "sum +="],
      ["g[at(slice.set_index", "g[at(0u"],
      ["pixel = slice.begin", "pixel = slice.begin + 1u"],
    ],
  },
  {
    shader: shaders.join_slices,
    op: "s2am_compose_backward",
    variant: "direct",
    mutations: [
      ["sum += partial", "sum -= partial"],
      ["slice = 0u", "slice = 1u"],
      ["set_index * p.slices + slice", "slice"],
      [" * p.c + c]", " + c]"],
      ["= sum;", "= sum / f32(p.slices);"],
    ],
  },
  {
    shader: shaders.s2am_compose_backward,
    op: "s2am_compose_backward",
    variant: "direct",
    mutations: [
      ["= inside * d;", "= d;"],
      ["inside * mix_gate", "mix_gate"],
      ["(1.0 - inside) * bg_gate", "bg_gate"],
      ["mix_sum += inside", "mix_sum -= inside"],
      ["bg_sum += (1.0 - inside)", "bg_sum += inside"],
      ["m[pixel", "m[slice.begin"],
    ],
  },
  {
    shader: shaders.s2am_compose_backward_mask,
    op: "s2am_compose_backward_mask",
    variant: "direct",
    mutations: [
      ["- gates[", "+ gates["],
      ["c)] * share", "c)]"],
      ["sum += dy", "sum -= dy"],
      ["let n = i / p.hw", "let n = i % p.hw"],
      ["c = 0u", "c = 1u"],
    ],
  },
  {
    shader: shaders.gaussian_blur_backward,
    op: "gaussian_blur_backward",
    variant: "direct",
    mutations: [
      ["source > 0u", "source > 1u"],
      ["source < size - 1u", "source < size"],
      ["2u * (size - 1u) - source", "2u * size - 1u - source"],
      ["tap(source + output)", "tap(source + output + 1u)"],
      ["weight(h, r, p.h) * line", "line"],
      ["min(h + p.radius", "min(h"],
    ],
  },
  {
    shader: shaders.slice_backward,
    op: "slice_backward",
    variant: "direct",
    mutations: [
      ["c >= p.start", "c > p.start"],
      ["c < p.start + p.length", "c <= p.start + p.length"],
      [" - p.start]", "]"],
      ["value = dy", "value = -dy"],
      ["var value = 0.0", "var value = 1.0"],
    ],
  },
  {
    shader: shaders.blend_backward,
    op: "blend_backward",
    variant: "direct",
    mutations: [
      ["= inside * d;", "= d;"],
      ["(1.0 - inside) * d", "inside * d"],
      ["- b[", "+ b["],
      ["sum += d * (", "sum += ("],
      ["add_lanes(sum)", "add_lanes(sum) * inside"],
    ],
  },
  {
    shader: shaders.channel_pool_backward,
    op: "channel_pool_backward",
    variant: "direct",
    mutations: [
      [" / f32(p.c)", ""],
      ["c == winner", "c != winner"],
      ["c, value > largest", "c, value >= largest"],
      ["mean + select", "select"],
      ["p.dy_offset + 1u", "p.dy_offset"],
    ],
  },
];

export const MUTANTS: readonly ShaderMutants[] = [...NORMALIZATION, ...LINEAR, ...S2AM, ...CONVOLUTIONS];
