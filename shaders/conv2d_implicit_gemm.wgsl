// 2-D convolution as a tiled GEMM whose left matrix is never built: M = output pixels, N = output channels, K = kernel rows x
// kernel columns x input channels. For real GPUs. It also serves the transposed convolution: of stride 1 as a convolution
// with its taps reversed, of kernel 4 and stride 2 as four 2x2 convolutions, one a parity phase of the output, so that no
// tap meets an inserted zero. K may be cut into slices that conv2d_join.wgsl adds up.
// use lib/conv_input
// use lib/input_gate
// use lib/gemm_rows
// use lib/epilogue
struct Params {
  h: u32,            // input
  w: u32,
  c_in: u32,
  c4: u32,           // vec4s of input channels, rounded up
  x_pitch: u32,
  x_offset: u32,
  grid_h: u32,       // output pixels of a phase
  grid_w: u32,
  n4: u32,           // vec4s of output channels, rounded up
  y_pitch: u32,
  y_offset: u32,
  kernel_h: u32,     // of a phase
  kernel_w: u32,
  stride: u32,
  pad: u32,          // phase 1 of an axis has one less
  upsample: u32,     // 2: phases of an axis; 1: none
  m: u32,            // N * grid_h * grid_w
  tiles_n: u32,      // along N
  slices: u32,
  slice_k4: u32,     // vec4s of K a slice, whole steps
  partial: u32,      // 1: y is [phases, slices, m, n4], to be joined
  has_bias: u32,
  relu_input: u32,
}

alias W = vec4<f32>;         // specialised
alias Y = vec4<f32>;         // specialised

@group(0) @binding(0) var<storage, read> x: array<X>;                 // [N, h, w, c_in], pitched
@group(0) @binding(1) var<storage, read> w: array<W>;                 // [phases, kernel_h, kernel_w, 4 c4, n4]
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;      // [n4]
@group(0) @binding(3) var<storage, read_write> y: array<Y>;           // [N, oh, ow, n4], pitched, or as `partial` says
@group(0) @binding(4) var<uniform> p: Params;

// The output pixel of row m, counted through all images.
fn pixel_of(m: u32, phase: vec2<u32>) -> u32 {
  let row = m / p.grid_w;
  let oh = row % p.grid_h * p.upsample + phase.y;
  let ow = m % p.grid_w * p.upsample + phase.x;
  return (row / p.grid_h * p.grid_h * p.upsample + oh) * p.grid_w * p.upsample + ow;
}

// Whether a step of K lies under one tap: then where it lies is the same for the whole workgroup, and K is a whole number
// of steps.
override ALIGNED: bool;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let m_base = (group.y / p.tiles_n * groups.x + group.x) * TILE_M;   // many rows of tiles take several of workgroups
  let n4_base = group.y % p.tiles_n * TILE_N4;
  let phase_index = group.z / p.slices;
  let phase = vec2<u32>(phase_index % p.upsample, phase_index / p.upsample);
  let first_k4 = group.z % p.slices * p.slice_k4;
  let all_k4 = p.kernel_h * p.kernel_w * p.c4;
  let steps = (min(p.slice_k4, all_k4 - first_k4) + STEP_K4 - 1u) / STEP_K4;

  // Where along K the turn loads: a tap and four channels, counted on without a division. `offset` leads there from a window's
  // corner, in elements of x.
  let lane_k4 = thread % STEP_K4;
  let k4 = select(first_k4 + lane_k4, first_k4, ALIGNED);
  let pitch = p.x_pitch / X_LANES;
  let next_column = pitch - p.c4 * X_UNITS;
  let next_row = (p.w - p.kernel_w) * pitch;
  var c4 = k4 % p.c4;
  var tap_row = k4 / p.c4 / p.kernel_w;
  var tap_column = k4 / p.c4 % p.kernel_w;
  var offset = (tap_row * p.w + tap_column) * pitch + c4 * X_UNITS;
  let lane_c4 = select(0u, lane_k4, ALIGNED);

  // The windows of the pixels whose inputs this thread loads. Corners wrap to huge numbers outside the image. Pixels and
  // output channels past the last are read where the last one lies: what becomes of them is not stored.
  var top: array<u32, A_LOADS>;
  var left: array<u32, A_LOADS>;
  var corner: array<u32, A_LOADS>;
  var gate_index: array<u32, A_LOADS>;
  for (var i = 0u; i < A_LOADS; i++) { // @unroll
    let m = min(m_base + thread / STEP_K4 + i * (THREADS / STEP_K4), p.m - 1u);
    let row = m / p.grid_w;
    let image = row / p.grid_h;
    top[i] = row % p.grid_h * p.stride + phase.y - p.pad;
    left[i] = m % p.grid_w * p.stride + phase.x - p.pad;
    corner[i] = ((image * p.h + top[i]) * p.w + left[i]) * pitch + p.x_offset / X_LANES + lane_c4 * X_UNITS;
    gate_index[i] = gate_place(image, lane_c4);
  }
  let lane_row = first_k4 * 4u + thread / TILE_N4;
  let w_index = (phase_index * all_k4 * 4u + lane_row) * p.n4 + min(n4_base + thread % TILE_N4, p.n4 - 1u);
  var w_row = 0u;
  var w_offset = 0u;

  let local_m = thread / THREADS_N;
  let local_n = thread % THREADS_N;
  var sums: array<vec4<f32>, SUMS>;
  for (var step = 0u; step <= steps; step++) {
    // The next step's tiles are on their way while this one's are multiplied. The turn before the first only loads; the one
    // after the last loads that again, from the cache, which costs less than a branch around it would in registers.
    var a: array<vec4<f32>, A_LOADS>;
    var b: array<vec4<f32>, B_LOADS>;
    for (var i = 0u; i < A_LOADS; i++) { // @unroll
      let inside = top[i] + tap_row < p.h && left[i] + tap_column < p.w && (ALIGNED || tap_row < p.kernel_h);
      var value = x_at(corner[i] + offset, (c4 + lane_c4) * 4u);
      if (GATED) { value *= gate_at(gate_index[i] + c4); }
      a[i] = select(vec4<f32>(), value, inside);
    }
    for (var i = 0u; i < B_LOADS; i++) { // @unroll
      b[i] = vec4<f32>(w[w_index + w_offset + i * (THREADS / TILE_N4) * p.n4]);
      if (!ALIGNED && w_row + lane_row + i * (THREADS / TILE_N4) >= all_k4 * 4u) { b[i] = vec4<f32>(); }
    }
    if (step + 1u < steps) {
      w_row += STEP_K;
      w_offset += STEP_K * p.n4;
      c4 += STEP_K4;
      offset += STEP_K4 * X_UNITS;
      while (c4 >= p.c4) {
        c4 -= p.c4;
        offset += next_column;
        tap_column += 1u;
        if (tap_column == p.kernel_w) {
          tap_column = 0u;
          tap_row += 1u;
          offset += next_row;
        }
      }
    }
    if (step > 0u) { multiply_step(&sums, step + 1u, local_m, local_n); }
    for (var i = 0u; i < A_LOADS; i++) { // @unroll
      a_tile[step % 2u * A_SIZE + thread + i * THREADS] = a[i];
    }
    for (var i = 0u; i < B_LOADS; i++) { // @unroll
      b_tile[step % 2u * B_SIZE + thread + i * THREADS] = b[i];
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < ROWS; i++) { // @unroll
    let m = m_base + local_m + i * THREADS_M;
    let pixel = pixel_of(m, phase);
    var base = (pixel * p.y_pitch + p.y_offset) / 4u;
    if (p.partial == 1u) { base = (group.z * p.m + m) * p.n4; }
    for (var j = 0u; j < COLUMNS4; j++) { // @unroll
      let n4 = n4_base + local_n + j * THREADS_N;
      if (m < p.m && n4 < p.n4) {
        var value = sums[i * COLUMNS4 + j];
        if (p.has_bias == 1u) { value += bias[n4]; }
        y[base + n4] = Y(epilogue(value, m / (p.grid_w * p.grid_h), pixel, n4));
      }
    }
  }
}
