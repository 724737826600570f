// Weight gradient of a 2-D convolution as a tiled GEMM whose left matrix is never built: M = the rows (kernel row, kernel
// column, input channel) of dw, N = output channels, K = output pixels, cut into slices whose sums
// conv2d_backward_weight_join.wgsl adds up in order. For real GPUs. A thread loads the same rows all along; the pixel it is
// at moves on, and divides only where a line of the image ends.
// use lib/conv_input
// use lib/gemm_columns
struct Params {
  h: u32,            // x
  w: u32,
  c_in: u32,
  c4: u32,           // vec4s of input channels, rounded up
  x_pitch: u32,
  x_offset: u32,
  relu_input: u32,
  oh: u32,           // dy
  ow: u32,
  c_out: u32,
  dy_pitch: u32,
  dy_offset: u32,
  relu_dy: u32,
  n4: u32,           // vec4s of output channels, rounded up
  taps: u32,
  kernel_w: u32,
  stride: u32,
  pad: u32,
  pixels: u32,       // N * oh * ow
  slice: u32,        // pixels of a slice, whole steps
}

alias D = vec4<f32>;         // specialised: f32 where four channels cannot go at once
const D_LANES: u32 = 4u;     // specialised

@group(0) @binding(0) var<storage, read> x: array<X>;                  // [N, h, w, c_in], pitched
@group(0) @binding(1) var<storage, read> dy: array<D>;                 // [N, oh, ow, c_out], pitched
@group(0) @binding(2) var<storage, read_write> dw: array<vec4<f32>>;   // [slices, taps * 4 c4, n4]
@group(0) @binding(3) var<uniform> p: Params;

// Whether the pixels are no whole number of steps: then the last one is filled up with zeros.
override TAIL: bool;

// Four channels from c on, at element `at` of dy; those past its channels are zeros.
fn dy_at(at: u32, c: u32) -> vec4<f32> {
  var value = vec4<f32>();
  if (D_LANES == 4u) {
    value = vec4<f32>(dy[at]);
  } else {
    for (var i = 0u; i < 4u; i++) { // @unroll
      if (c + i < p.c_out) { value[i] = vec4<f32>(dy[at + i]).x; }
    }
  }
  if (p.relu_dy == 1u) { value = max(value, vec4<f32>()); }
  return value;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let m4_base = group.x * TILE_M4;
  let n4_base = group.y * TILE_N4;
  let first = group.z * p.slice;
  let end = min(first + p.slice, p.pixels);
  let steps = (end - first + STEP_K - 1u) / STEP_K;

  // Rows and columns of dw past the last are read where the last one lies: what becomes of them is not stored.
  let m4 = min(m4_base + thread % TILE_M4, p.taps * p.c4 - 1u);
  let tap = m4 / p.c4;
  let tap_row = tap / p.kernel_w - p.pad;      // wraps to a huge number above the pixel
  let tap_column = tap % p.kernel_w - p.pad;
  let channel = m4 % p.c4 * 4u;
  let n = min(n4_base + thread % TILE_N4, p.n4 - 1u) * 4u;

  // The pixels whose inputs this thread loads: how far across and down their image, in rows and columns of x, and the element
  // under the thread's tap. They are counted on without a multiplication; where one leads outside, nothing is read.
  let pitch = p.x_pitch / X_LANES;
  let across_end = p.ow * p.stride;
  let down_end = p.oh * p.stride;
  let next_pixels = STEP_K * p.stride;
  let next_line = (p.stride * p.w - across_end) * pitch;
  let next_image = (p.h - down_end) * p.w * pitch;
  let x_lane = first + thread / TILE_M4;
  var across: array<u32, A_LOADS>;
  var down: array<u32, A_LOADS>;
  var index: array<u32, A_LOADS>;
  for (var i = 0u; i < A_LOADS; i++) { // @unroll
    let pixel = x_lane + i * (THREADS / TILE_M4);
    let line = pixel / p.ow;
    across[i] = pixel % p.ow * p.stride;
    down[i] = line % p.oh * p.stride;
    let row = line / p.oh * p.h + down[i] + tap_row;
    index[i] = (row * p.w + across[i] + tap_column) * pitch + (p.x_offset + channel) / X_LANES;
  }
  let dy_pitch = p.dy_pitch / D_LANES;
  let dy_lane = first + thread / TILE_N4;
  let dy_index = dy_lane * dy_pitch + (p.dy_offset + n) / D_LANES;
  var k = 0u;           // where the turn loads along the slice
  var dy_offset = 0u;

  let local_m = thread / THREADS_N;
  let local_n = thread % THREADS_N;
  var sums: array<vec4<f32>, SUMS>;
  for (var step = 0u; step <= steps; step++) {
    // The next step's tiles are on their way while this one's are multiplied. The turn before the first only loads; the one
    // after the last loads that again, from the cache, which costs less than a branch around it would in registers.
    var a: array<vec4<f32>, A_LOADS>;
    var b: array<vec4<f32>, B_LOADS>;
    for (var i = 0u; i < A_LOADS; i++) { // @unroll
      let inside = down[i] + tap_row < p.h && across[i] + tap_column < p.w;
      let counts = !TAIL || x_lane + k + i * (THREADS / TILE_M4) < end;
      a[i] = select(vec4<f32>(), x_at(index[i], channel), inside && counts);
    }
    for (var i = 0u; i < B_LOADS; i++) { // @unroll
      b[i] = dy_at(dy_index + dy_offset + i * (THREADS / TILE_N4) * dy_pitch, n);
      if (TAIL && dy_lane + k + i * (THREADS / TILE_N4) >= end) { b[i] = vec4<f32>(); }
    }
    if (step + 1u < steps) {
      k += STEP_K;
      dy_offset += STEP_K * dy_pitch;
      for (var i = 0u; i < A_LOADS; i++) { // @unroll
        across[i] += next_pixels;
        index[i] += next_pixels * pitch;
        while (across[i] >= across_end) {
          across[i] -= across_end;
          down[i] += p.stride;
          index[i] += next_line;
          if (down[i] == down_end) {
            down[i] = 0u;
            index[i] += next_image;
          }
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

  let rows = p.taps * p.c4 * 4u;
  for (var i = 0u; i < ROWS; i++) { // @unroll
    let m = (m4_base + local_m + i / 4u * THREADS_M) * 4u + i % 4u;
    for (var j = 0u; j < COLUMNS4; j++) { // @unroll
      let column4 = n4_base + local_n + j * THREADS_N;
      if (m < rows && column4 < p.n4) { dw[(group.z * rows + m) * p.n4 + column4] = sums[i * COLUMNS4 + j]; }
    }
  }
}
