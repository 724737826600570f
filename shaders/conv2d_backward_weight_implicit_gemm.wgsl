// Weight gradient of a 2-D convolution as a tiled GEMM whose left matrix is never built: M = the rows (kernel row, kernel
// column, input channel) of dw, N = output channels, K = output pixels, cut into slices whose sums
// conv2d_backward_weight_join.wgsl adds up in order. For real GPUs. A thread keeps the rows whose inputs it loads; where a pixel lies is worked out once for all
// threads, a step ahead.
// use lib/gemm_tile
struct Params {
  h: u32,           // x
  w: u32,
  c_in: u32,
  x_pitch: u32,
  x_offset: u32,
  oh: u32,          // dy
  ow: u32,
  c_out: u32,
  dy_pitch: u32,
  dy_offset: u32,
  relu_dy: u32,
  kernel_w: u32,
  stride: u32,
  pad: u32,
  rows: u32,        // of dw
  pixels: u32,      // N * oh * ow
  slice: u32,       // pixels of a slice
  steps: u32,       // slice / STEP_K
}

const STEP_K: u32 = 16u;
const NOWHERE: u32 = 0x80000000u;

@group(0) @binding(0) var<storage, read> x: array<f32>;          // [N, h, w, c_in], pitched
@group(0) @binding(1) var<storage, read> dy: array<f32>;         // [N, oh, ow, c_out], pitched
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;   // [slices, rows, c_out]
@group(0) @binding(3) var<uniform> p: Params;

// The window of an output pixel: its image's first row of x, and its corner, which wraps to huge numbers outside x.
struct Window {
  image: u32,
  top: u32,
  left: u32,
}
var<workgroup> windows: array<Window, 32>;   // of this step and the next

fn window_of(pixel: u32, end: u32) -> Window {
  if (pixel >= end) { return Window(0u, NOWHERE, NOWHERE); }
  let row = pixel / p.ow;
  return Window(row / p.oh * p.h, row % p.oh * p.stride - p.pad, pixel % p.ow * p.stride - p.pad);
}

fn load_x(window: Window, tap: vec2<u32>, channel: u32) -> f32 {
  let ih = window.top + tap.y;
  let iw = window.left + tap.x;
  if (ih >= p.h || iw >= p.w) { return 0.0; }
  return x[((window.image + ih) * p.w + iw) * p.x_pitch + channel];
}

fn load_dy(base: u32, channel: u32) -> f32 {
  if (channel >= p.c_out) { return 0.0; }
  let value = dy[base + channel];
  return select(value, max(value, 0.0), p.relu_dy == 1u);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let m_base = group.x * TILE_M;
  let n_base = group.y * TILE_N;
  let first = group.z * p.slice;
  let end = min(first + p.slice, p.pixels);
  let column4 = thread % 16u;
  var tap: array<vec2<u32>, 4>;
  var channel: array<u32, 4>;
  for (var i = 0u; i < 4u; i++) { // @unroll
    let m = m_base + column4 * 4u + i;
    tap[i] = vec2<u32>(m / p.c_in % p.kernel_w, m / p.c_in / p.kernel_w);
    if (m >= p.rows) { tap[i].y = NOWHERE - 1u; }
    channel[i] = p.x_offset + m % p.c_in;
  }
  let n = n_base + column4 * 4u;

  if (thread < STEP_K) { windows[thread] = window_of(first + thread, end); }
  workgroupBarrier();
  var acc: array<vec4<f32>, 16>;
  for (var step = 0u; step < p.steps; step++) {
    for (var i = 0u; i < 4u; i++) {
      let k = thread / 16u + i * 4u;
      let window = windows[step % 2u * STEP_K + k];
      let dy_base = min(first + step * STEP_K + k, end - 1u) * p.dy_pitch + p.dy_offset;   // past the end x is 0
      a_tile[k * 16u + column4] = vec4<f32>(load_x(window, tap[0], channel[0]), load_x(window, tap[1], channel[1]),
                                            load_x(window, tap[2], channel[2]), load_x(window, tap[3], channel[3]));
      b_tile[k * 16u + column4] = vec4<f32>(load_dy(dy_base, n), load_dy(dy_base, n + 1u), load_dy(dy_base, n + 2u), load_dy(dy_base, n + 3u));
    }
    if (thread < STEP_K) {
      windows[(step + 1u) % 2u * STEP_K + thread] = window_of(first + (step + 1u) * STEP_K + thread, end);
    }
    workgroupBarrier();
    multiply_tiles(&acc, local.y * 2u, local.x * 2u);
    workgroupBarrier();
  }
  for (var i = 0u; i < 8u; i++) { // @unroll
    let m = m_base + local.y * 8u + i;
    for (var j = 0u; j < 2u; j++) { // @unroll
      for (var c = 0u; c < 4u; c++) { // @unroll
        let column = n_base + local.x * 8u + j * 4u + c;
        if (m < p.rows && column < p.c_out) { dw[(group.z * p.rows + m) * p.c_out + column] = acc[i * 2u + j][c]; }
      }
    }
  }
}
