// 2-D convolution on matrix units, as a GEMM whose left matrix is never built: M = output pixels, N = output channels,
// K = kernel rows x kernel columns x input channels. x and w are f16, sums f32. Also the transposed convolution of kernel 4 and
// stride 2, as four 2x2 convolutions, one a parity phase of the output. For GPUs whose driver has cooperative matrices,
// through an extension of WGSL that is still an experiment of Chromium's. Channels, pitches and offsets are multiples of 4.
//
// A subgroup owns FRAGMENTS_M x FRAGMENTS_N fragments of the result. Tiles of x and w go through workgroup memory, which is also
// where a fragment's sums become single numbers again, for bias and epilogue.
// use lib/subgroup_matrix
// use lib/epilogue
enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;

const LANES: u32 = 32u;          // specialised: the adapter's subgroup size
const SUBGROUPS_M: u32 = 2u;     // specialised
const SUBGROUPS_N: u32 = 2u;     // specialised
const FRAGMENTS_M: u32 = 2u;     // specialised: of a subgroup
const FRAGMENTS_N: u32 = 2u;     // specialised
const SUBGROUPS: u32 = SUBGROUPS_M * SUBGROUPS_N;
const THREADS: u32 = SUBGROUPS * LANES;
const TILE_M: u32 = SUBGROUPS_M * FRAGMENTS_M * M_FRAGMENT;
const TILE_N: u32 = SUBGROUPS_N * FRAGMENTS_N * N_FRAGMENT;
const TILE_N4: u32 = TILE_N / 4u;
const STEP_K: u32 = 32u;
const STEP_K4: u32 = STEP_K / 4u;
const A_STRIDE: u32 = STEP_K + 8u;   // rows 16 bytes further than they are long meet other banks
const B_STRIDE: u32 = TILE_N + 8u;
const A_LOADS: u32 = TILE_M * STEP_K4 / THREADS;
const B_LOADS: u32 = STEP_K * TILE_N4 / THREADS;
const FRAGMENT: u32 = M_FRAGMENT * N_FRAGMENT;
const SUMS: u32 = FRAGMENTS_M * FRAGMENTS_N;
const K_FRAGMENTS: u32 = STEP_K / K_FRAGMENT;
const NOWHERE: u32 = 0x80000000u;    // a row that is outside of every image

override RELU_INPUT: bool = false;

struct Params {
  h: u32,          // input
  w: u32,
  c_in: u32,
  x_pitch: u32,
  x_offset: u32,
  grid_h: u32,     // output pixels of a phase
  grid_w: u32,
  c_out: u32,
  y_pitch: u32,
  y_offset: u32,
  kernel_h: u32,   // of a phase
  kernel_w: u32,
  stride: u32,
  pad: u32,        // phase 1 of an axis has one less
  upsample: u32,   // 2: phases of an axis; 1: none
  m: u32,          // N * grid_h * grid_w
  has_bias: u32,
}

alias Y4 = vec4<f16>;   // specialised: four elements of y as they are stored

@group(0) @binding(0) var<storage, read> x: array<vec4<f16>>;      // [N, h, w, c_in / 4], pitched
@group(0) @binding(1) var<storage, read> w: array<vec4<f16>>;      // [kernel_h * upsample, kernel_w * upsample, c_in, c_out / 4]
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;   // [c_out / 4]
@group(0) @binding(3) var<storage, read_write> y: array<Y4>;       // [N, grid_h * upsample, grid_w * upsample, c_out / 4], pitched
@group(0) @binding(4) var<uniform> p: Params;

var<workgroup> a_tile: array<f16, TILE_M * A_STRIDE>;            // [TILE_M][STEP_K], rows A_STRIDE apart
var<workgroup> b_tile: array<f16, STEP_K * B_STRIDE>;            // [STEP_K][TILE_N], rows B_STRIDE apart
var<workgroup> c_tile: array<f32, SUBGROUPS * FRAGMENT>;         // [SUBGROUPS][M_FRAGMENT][N_FRAGMENT]
var<private> lane: u32;

// Four channels of the input pixel under tap (r, s) of a window; zeros outside the image.
fn load_x(image: u32, row: u32, column: u32, c: u32) -> vec4<f16> {
  if (row >= p.h || column >= p.w) { return vec4<f16>(); }
  let value = x[(((image + row) * p.w + column) * p.x_pitch + p.x_offset + c) / 4u];
  return select(value, max(value, vec4<f16>()), RELU_INPUT);
}

// The row of w, as a matrix of [taps * c_in] x [c_out], that row k of a phase's matrix is. A phase of an axis meets the
// transposed kernel's taps 3 - phase, 1 - phase, in the order of the input rows under them.
fn weight_row(k: u32, phase: vec2<u32>) -> u32 {
  if (p.upsample == 1u) { return k; }
  let tap = k / p.c_in;
  let r = 3u - phase.y - 2u * (tap / 2u);
  let s = 3u - phase.x - 2u * (tap % 2u);
  return (r * 4u + s) * p.c_in + k % p.c_in;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32, @builtin(subgroup_id) subgroup: u32, @builtin(subgroup_invocation_id) subgroup_lane: u32) {
  lane = subgroup_lane;
  let phase = vec2<u32>(group.z % p.upsample, group.z / p.upsample);
  let m_base = group.x * TILE_M;
  let n4_base = group.y * TILE_N4;
  let terms = p.kernel_h * p.kernel_w * p.c_in;

  // The windows of the pixels whose inputs this thread loads: an image's first row, and a corner that wraps to huge
  // numbers outside the image.
  let a_k4 = thread % STEP_K4;
  var image: array<u32, A_LOADS>;
  var top: array<u32, A_LOADS>;
  var left: array<u32, A_LOADS>;
  for (var i = 0u; i < A_LOADS; i++) { // @unroll
    let m = m_base + thread / STEP_K4 + i * (THREADS / STEP_K4);
    let row = m / p.grid_w;
    image[i] = row / p.grid_h * p.h;
    top[i] = select(NOWHERE, row % p.grid_h * p.stride + phase.y - p.pad, m < p.m);
    left[i] = m % p.grid_w * p.stride + phase.x - p.pad;
  }
  let b_n4 = n4_base + thread % TILE_N4;
  let subgroup_m = subgroup / SUBGROUPS_N * FRAGMENTS_M;
  let subgroup_n = subgroup % SUBGROUPS_N * FRAGMENTS_N;

  var sums: array<Sum, SUMS>;
  for (var step = 0u; step < (terms + STEP_K - 1u) / STEP_K; step++) {
    let k = step * STEP_K + a_k4 * 4u;
    let tap = k / p.c_in;
    for (var i = 0u; i < A_LOADS; i++) { // @unroll
      let row = select(NOWHERE, top[i] + tap / p.kernel_w, k < terms);
      let value = load_x(image[i], row, left[i] + tap % p.kernel_w, k % p.c_in);
      let at = (thread / STEP_K4 + i * (THREADS / STEP_K4)) * A_STRIDE + a_k4 * 4u;
      for (var e = 0u; e < 4u; e++) { // @unroll
        a_tile[at + e] = value[e];
      }
    }
    for (var i = 0u; i < B_LOADS; i++) { // @unroll
      let b_k = thread / TILE_N4 + i * (THREADS / TILE_N4);
      var value = vec4<f16>();
      if (step * STEP_K + b_k < terms && b_n4 < p.c_out / 4u) {
        value = w[weight_row(step * STEP_K + b_k, phase) * (p.c_out / 4u) + b_n4];
      }
      for (var e = 0u; e < 4u; e++) { // @unroll
        b_tile[b_k * B_STRIDE + thread % TILE_N4 * 4u + e] = value[e];
      }
    }
    workgroupBarrier();
    for (var f = 0u; f < K_FRAGMENTS; f++) { // @unroll
      var rights: array<Right, FRAGMENTS_N>;
      for (var j = 0u; j < FRAGMENTS_N; j++) { // @unroll
        rights[j] = load_right(f * K_FRAGMENT * B_STRIDE + (subgroup_n + j) * N_FRAGMENT);
      }
      for (var i = 0u; i < FRAGMENTS_M; i++) { // @unroll
        let row = load_left((subgroup_m + i) * M_FRAGMENT * A_STRIDE + f * K_FRAGMENT);
        for (var j = 0u; j < FRAGMENTS_N; j++) { // @unroll
          sums[i * FRAGMENTS_N + j] = multiply_add(row, rights[j], sums[i * FRAGMENTS_N + j]);
        }
      }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < FRAGMENTS_M; i++) { // @unroll
    for (var j = 0u; j < FRAGMENTS_N; j++) { // @unroll
      store_sum(subgroup * FRAGMENT, sums[i * FRAGMENTS_N + j]);
      workgroupBarrier();
      for (var e = lane; e < FRAGMENT / 4u; e += LANES) {
        let m = m_base + (subgroup_m + i) * M_FRAGMENT + e / (N_FRAGMENT / 4u);
        let n4 = n4_base + (subgroup_n + j) * (N_FRAGMENT / 4u) + e % (N_FRAGMENT / 4u);
        if (m < p.m && n4 < p.c_out / 4u) {
          let at = subgroup * FRAGMENT + e * 4u;
          var value = vec4<f32>(c_tile[at], c_tile[at + 1u], c_tile[at + 2u], c_tile[at + 3u]);
          if (p.has_bias == 1u) { value += bias[n4]; }
          let row = m / p.grid_w;
          let oh = row % p.grid_h * p.upsample + phase.y;
          let ow = m % p.grid_w * p.upsample + phase.x;
          let pixel = (row / p.grid_h * p.grid_h * p.upsample + oh) * p.grid_w * p.upsample + ow;
          y[(pixel * p.y_pitch + p.y_offset) / 4u + n4] = Y4(epilogue(value, row / p.grid_h, pixel, n4));
        }
      }
      workgroupBarrier();
    }
  }
}
