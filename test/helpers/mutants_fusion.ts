/** The mutants of what convolutions for real GPUs fuse: gates, addends, the composition. See mutants.ts. */
import * as shaders from "../../src/shaders.generated.js";
import type { ShaderMutants } from "./mutants.js";

const GATED = ["2x9x11x12-20_k3s1p1_bias_elu_gated"];
const COMPOSED = ["2x13x10x40-24_k3s1p1_elu"];
/** Sums too short to be cut into slices, whose epilogue would be the join's. */
const COMPOSED_WHOLE = ["2x6x5x4-8_k1s1p0_elu"];

export const FUSIONS: readonly ShaderMutants[] = [
  {
    shader: shaders.conv2d_implicit_gemm,
    op: "conv2d",
    variant: "implicit_gemm_64x16",
    cases: GATED,
    mutations: [
      ["value *= gate_at(gate_index[i] + c4)", ""],
      ["gate_place(image, lane_c4)", "gate_place(0u, lane_c4)"],
      ["(image * p.h + top[i])", "top[i]"],
      ["offset += next_row;", ""],
    ],
  },
  {
    shader: shaders.conv2d_implicit_gemm,
    op: "conv2d_compose",
    variant: "implicit_gemm_64x16",
    cases: COMPOSED_WHOLE,
    mutations: [
      ["epilogue(value, m / (p.grid_w * p.grid_h)", "epilogue(value, 0u"],
      ["feature * composing.mixing", "feature"],
    ],
  },
  {
    shader: shaders.conv2d_implicit_gemm, // an up-sampling, whose rows are not in the order of its pixels
    op: "conv_transpose2d",
    variant: "implicit_gemm_64x16",
    cases: ["1x5x4x8-12_k4s2p1_bias_adds"],
    mutations: [["(p.grid_w * p.grid_h), pixel, n4", "(p.grid_w * p.grid_h), m, n4"]],
  },
  {
    shader: shaders.conv2d_join,
    op: "conv2d_compose",
    variant: "implicit_gemm_64x64",
    cases: ["2x9x7x5-3_k3s1p1_elu"],
    mutations: [
      ["row / p.oh, pixel", "0u, pixel"],
      ["slice = 0u", "slice = 1u"],
    ],
  },
  {
    shader: shaders.conv2d_stream,
    op: "conv2d",
    variant: "stream",
    cases: ["2x5x6x64-32_k4s2p1_bias_elu_gated_adds"],
    mutations: [
      ["gate_of(image,", "gate_of(0u,"],
      ["load_gated(row / p.grid_h", "load_gated(0u"],
    ],
  },
  {
    shader: shaders.winograd_f4_input,
    op: "conv2d",
    variant: "winograd_f4",
    cases: GATED,
    mutations: [
      ["gate_of(image,", "gate_of(0u,"],
      ["load_x(image * p.h", "load_x(0u"],
    ],
  },
  {
    shader: shaders.winograd_f4_output,
    op: "conv2d_compose",
    variant: "winograd_f4",
    cases: COMPOSED,
    mutations: [
      ["composing_of(image,", "composing_of(0u,"],
      ["(image * p.oh + top", "(top"],
    ],
  },
  {
    shader: shaders.tile_flags,
    op: "tile_order",
    variant: "direct",
    mutations: [
      ["!= 0.0", "== 0.0"],
      ["any |=", "any ="],
      ["image * p.h +", ""],
      ["min(left + c, p.w - 1u)", "left"],
    ],
  },
  {
    shader: shaders.tile_counts,
    op: "tile_order",
    variant: "direct",
    mutations: [
      ["i >= p.chunks)", "i < p.chunks)"],
      ["i % p.chunks * CHUNK", "0u"],
      ["row + r - 1u", "row + r"],
      ["inside && flags", "flags"],
    ],
  },
  {
    shader: shaders.tile_order,
    op: "tile_order",
    variant: "direct",
    mutations: [
      ["c < chunk", "c <= chunk"],
      ["select(next_idle, next, flagged)", "select(next, next_idle, flagged)"],
      ["+ chunk * CHUNK - before", "- before"],
      ["column + c - 1u", "column + c"],
    ],
  },
  {
    shader: shaders.tile_workgroups,
    op: "conv2d",
    variant: "winograd",
    cases: ["2x40x41x16-20_k3s1p1_elu_tiles170"],
    mutations: [
      ["(needed + p.product_rows - 1u) / p.product_rows", "needed / p.product_rows / 2u"],
      ["needed * p.output_threads", "needed"],
      ["needed * p.input_threads", "needed"],
    ],
  },
  {
    shader: shaders.s2am_background,
    op: "conv2d_compose",
    variant: "winograd",
    cases: ["2x13x18x12-24_k3s1p1_elu_tiles11"],
    mutations: [
      ["place < u32(order[0])", "place < u32(order[0]) + 9u"],
      ["place_of(image, p.gates", "place_of(0u, p.gates"],
      ["* gate);", ");"],
      ["order[1u + place]", "order[place]"],
    ],
  },
  {
    shader: shaders.winograd_output,
    op: "conv2d_compose",
    variant: "winograd",
    cases: ["2x13x18x12-24_k3s1p1_elu_tiles11"],
    mutations: [["order[1u + place]", "order[place]"]],
  },
];
