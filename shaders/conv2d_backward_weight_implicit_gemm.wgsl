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

fn load_dy(pixel: u32, c: u32) -> vec4<f32> {
  let at = pixel * p.dy_pitch + p.dy_offset + c;
  var value = vec4<f32>();
  if (D_LANES == 4u) {
    value = vec4<f32>(dy[at / 4u]);
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

  let m4 = m4_base + thread % TILE_M4;
  let tap = m4 / p.c4;
  let tap_row = tap / p.kernel_w;
  let tap_column = tap % p.kernel_w;
  let channel = m4 % p.c4 * 4u;
  let n4 = n4_base + thread % TILE_N4;

  // The pixels whose inputs and whose gradients this thread loads.
  var x_pixel = first + thread / TILE_M4;
  var dy_pixel = first + thread / TILE_N4;
  var ow: array<u32, A_LOADS>;
  var row: array<u32, A_LOADS>;     // of all images' output rows
  var image: array<u32, A_LOADS>;   // its image's first row of x
  var top: array<u32, A_LOADS>;
  for (var i = 0u; i < A_LOADS; i++) { // @unroll
    ow[i] = x_pixel + i * (THREADS / TILE_M4);
    row[i] = ow[i] / p.ow;
    ow[i] %= p.ow;
    image[i] = row[i] / p.oh * p.h;
    top[i] = row[i] % p.oh * p.stride + tap_row - p.pad;   // wraps to a huge number above the image
  }

  let local_m = thread / THREADS_N;
  let local_n = thread % THREADS_N;
  var sums: array<vec4<f32>, SUMS>;
  for (var step = 0u; step <= steps; step++) {
    // The next step's tiles are on their way while this one's are multiplied; the turn before the first only loads.
    var a = array<vec4<f32>, A_LOADS>();   // zeros in every turn: without an initial value it was not, on one adapter
    var b = array<vec4<f32>, B_LOADS>();
    if (step < steps) {
      for (var i = 0u; i < A_LOADS; i++) { // @unroll
        if (tap < p.taps && x_pixel + i * (THREADS / TILE_M4) < end) {
          a[i] = load_x(image[i], top[i], ow[i] * p.stride + tap_column - p.pad, channel);
        }
        ow[i] += STEP_K;
        if (ow[i] >= p.ow) {
          row[i] += ow[i] / p.ow;
          ow[i] %= p.ow;
          image[i] = row[i] / p.oh * p.h;
          top[i] = row[i] % p.oh * p.stride + tap_row - p.pad;
        }
      }
      for (var i = 0u; i < B_LOADS; i++) { // @unroll
        if (n4 < p.n4 && dy_pixel + i * (THREADS / TILE_N4) < end) {
          b[i] = load_dy(dy_pixel + i * (THREADS / TILE_N4), n4 * 4u);
        }
      }
      x_pixel += STEP_K;
      dy_pixel += STEP_K;
    }
    if (step > 0u) { multiply_step(&sums, (step + 1u) % 2u, local_m, local_n); }
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
