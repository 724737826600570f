/** The mutants of the convolutions' backward kernels: see mutants.ts. */
import * as shaders from "../../src/shaders.generated.js";
import type { ShaderMutants } from "./mutants.js";

const WEIGHT_CASES = ["2x5x7x3-5_k3s1p1", "2x6x10x4-24_k4s2p1", "1x4x4x32-40_k4s2p1_relu"];

/** Barriers take their time on the tests' adapter. */
const GEMM_CASES = ["2x6x10x4-24_k4s2p1", "1x2x2x16-16_k4s2p1_relu", "3x7x9x8-12_k4s2p1", "2x24x23x8-12_k3s1p1"];
/** One is cut into slices, the other has channels that are padded. */
const JOIN_CASES = ["2x24x23x8-12_k3s1p1", "2x5x7x3-5_k3s1p1"];
const WINOGRAD_GPU_CASES = ["2x7x9x12-20_k3s1p1_relu"];

export const CONVOLUTIONS: readonly ShaderMutants[] = [
  {
    shader: shaders.conv2d_backward_weight_direct,
    op: "conv2d_backward_weight",
    variant: "direct",
    cases: WEIGHT_CASES,
    mutations: [
      ["+ r - p.pad", "+ r"],
      ["ow * p.stride", "ow"],
      ["sum += part", "sum -= part"],
      ["max(d, 0.0)", "d"],
      ["if (iw >= p.w) { continue; }", ""],
      ["row / p.oh * p.h", "0u"],
    ],
  },
  {
    shader: shaders.conv2d_backward_weight_subgroup,
    op: "conv2d_backward_weight",
    variant: "subgroup",
    cases: WEIGHT_CASES,
    mutations: [
      ["+ kernel_row[g] - p.pad", "+ kernel_row[g]"],
      ["row % p.oh * STRIDE", "row % p.oh"],
      ["total += window", "total -= window"],
      ["max(value, 0.0)", "value"],
      ["row_inside[g] && iw < p.w", "iw < p.w"],
      ["j - p.pad", "j"],
    ],
  },
  {
    shader: shaders.conv2d_backward_weight_implicit_gemm,
    op: "conv2d_backward_weight",
    variant: "implicit_gemm_64x64",
    cases: GEMM_CASES,
    mutations: [
      ["tap / p.kernel_w - p.pad", "tap / p.kernel_w"],
      ["pixel % p.ow * p.stride", "pixel % p.ow"],
      ["p.relu_dy == 1u", "p.relu_dy == 0u"],
      ["line / p.oh * p.h", "0u"],
      ["across[i] + tap_column < p.w", "true"],
      ["index[i] += next_line;", ""],
      ["index[i] += next_image;", ""],
      ["down[i] += p.stride;", "down[i] += 1u;"],
    ],
  },
  {
    shader: shaders.conv2d_backward_weight_join,
    op: "conv2d_backward_weight",
    variant: "implicit_gemm_64x64",
    cases: JOIN_CASES,
    mutations: [
      ["sum += partial", "sum -= partial"],
      ["slice = 0u", "slice = 1u"],
      ["slice * p.plane + at", "slice * p.plane"],
      ["= sum;", "= sum / f32(p.slices);"],
      ["row / p.c_in * p.rows", "row / p.c_in * p.c_in"],
      ["row * p.dw_pitch", "i % p.c_out * p.dw_pitch"],
    ],
  },
  {
    shader: shaders.winograd_f4_output_backward,
    op: "conv2d_backward_weight",
    variant: "winograd_f4",
    cases: WINOGRAD_GPU_CASES,
    mutations: [
      ["row >= p.oh || column >= p.ow", "column >= p.ow"],
      ["p.relu_dy == 1u", "p.relu_dy == 0u"],
      ["(r * SIDE + c)", "(c * SIDE + r)"],
      ["* p.oh;", "* 0u;"],
    ],
  },
  {
    shader: shaders.winograd_f4_weight_backward,
    op: "conv2d_backward_weight",
    variant: "winograd_f4",
    cases: WINOGRAD_GPU_CASES,
    mutations: [
      ["(r * 3u + c)", "(c * 3u + r)"],
      ["sum += du", "sum -= du"],
      ["columns[1][r], columns[2][r]", "columns[2][r], columns[1][r]"],
    ],
  },
  {
    shader: shaders.winograd_output_backward,
    op: "conv2d_backward_weight",
    variant: "winograd",
    cases: ["2x5x7x3-5_k3s1p1", "2x9x13x24-20_k3s1p1_relu"],
    mutations: [
      ["top + r < p.oh", "true"],
      ["left + c < p.ow", "true"],
      ["max(value, 0.0)", "value"],
      ["min(top + r,", "min(top,"],
      ["(r * 6u + c)", "(c * 6u + r)"],
    ],
  },
  {
    shader: shaders.winograd_weight_backward,
    op: "conv2d_backward_weight",
    variant: "winograd",
    cases: ["2x5x7x3-5_k3s1p1"],
    mutations: [
      ["(r * 6u + c)", "(c * 6u + r)"],
      ["(r * 3u + c)", "(c * 3u + r)"],
      ["= column[r]", "= -column[r]"],
      ["rows[1][c], rows[2][c]", "rows[2][c], rows[1][c]"],
      ["= column[r]", "= 4.0 * column[r]"],
    ],
  },
  {
    shader: shaders.conv_transpose2d_direct, // the input gradient of a convolution
    op: "conv_transpose2d",
    variant: "direct",
    mutations: [
      ["oh + PAD - r", "oh - r"],
      ["up % STRIDE != 0u || ", ""],
      [" || up / STRIDE >= H", ""],
      ["sum += value", "sum -= value"],
      ["(r * S + s)", "(s * R + r)"],
      ["max(value, 0.0)", "value"],
    ],
  },
];
