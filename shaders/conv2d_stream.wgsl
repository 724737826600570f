// 2-D convolution of maps so small that reading the weights is all the work. For real GPUs. A workgroup reads a slab of the
// weight once, 128 output channels side by side, and multiplies it by the few pixels' inputs, which it keeps in workgroup
// memory; slabs are enough to use the whole device, and conv2d_join.wgsl adds up what they leave. Taps that no
// pixel has inside the image are left out: at 1 x 1 that is three weights in four.
// Layouts, and the transposed convolution, are those of conv2d_implicit_gemm.wgsl.
// use lib/gated_input
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
  kernel_h: u32,     // of a phase
  kernel_w: u32,
  live_h: u32,       // rows and columns of taps that meet the image
  live_w: u32,
  stride: u32,
  pad: u32,          // phase 1 of an axis has one less
  upsample: u32,     // 2: phases of an axis; 1: none
  m: u32,            // N * grid_h * grid_w
  slices: u32,
  relu_input: u32,
}

const PIXELS: u32 = 4u;      // specialised: a workgroup's
const DEPTH4: u32 = 4u;      // vec4s of K a thread
const WIDE: u32 = 32u;       // threads along N, a vec4 each
const DEEP: u32 = 8u;        // threads along K
const SLAB_K4: u32 = DEPTH4 * DEEP;
const X_SIZE: u32 = PIXELS * SLAB_K4;

alias W = vec4<f32>;         // specialised

@group(0) @binding(0) var<storage, read> x: array<X>;                    // [N, h, w, c_in], pitched
@group(0) @binding(1) var<storage, read> w: array<W>;                    // [phases, kernel_h, kernel_w, 4 c4, n4]
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;      // [phases, slices, m, n4]
@group(0) @binding(3) var<uniform> p: Params;

const ROUND: u32 = 4u;       // pixels that are summed at once
const ROUNDS: u32 = PIXELS / ROUND;

// First the inputs, [PIXELS][SLAB_K4], then what the threads along K add up, [ROUND][DEEP][WIDE].
var<workgroup> shared_tile: array<vec4<f32>, ROUND * DEEP * WIDE>;

// The first tap of an axis that some output pixel has inside the image.
fn first_tap(phase: u32, grid: u32) -> u32 {
  let reach = phase + (grid - 1u) * p.stride;
  return select(0u, p.pad - reach, p.pad > reach);
}

@compute @workgroup_size(WIDE, DEEP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let phase_index = group.z / p.slices;
  let phase = vec2<u32>(phase_index % p.upsample, phase_index / p.upsample);
  let first = vec2<u32>(first_tap(phase.x, p.grid_w), first_tap(phase.y, p.grid_h));
  let first_k4 = group.z % p.slices * SLAB_K4;
  let m_base = group.y * PIXELS;
  let n4 = group.x * WIDE + local.x;

  for (var i = thread; i < X_SIZE; i += WIDE * DEEP) {
    let k4 = first_k4 + i % SLAB_K4;
    let m = m_base + i / SLAB_K4;
    let tap = k4 / p.c4;
    let row = m / p.grid_w;
    let top = row % p.grid_h * p.stride + phase.y + first.y + tap / p.live_w - p.pad;   // wraps above the image
    let left = m % p.grid_w * p.stride + phase.x + first.x + tap % p.live_w - p.pad;
    let inside = m < p.m && tap < p.live_h * p.live_w;
    shared_tile[i] = load_gated(row / p.grid_h, select(NOWHERE, top, inside), left, k4 % p.c4 * 4u);
  }
  workgroupBarrier();

  // Past the last tap the inputs are zeros, and any weight will do: without a branch many loads are on their way at once.
  let last_tap = p.live_h * p.live_w - 1u;
  let column = min(n4, p.n4 - 1u);
  var sums: array<vec4<f32>, PIXELS>;
  for (var d = 0u; d < DEPTH4; d++) {
    let slab_k4 = d * DEEP + local.y;
    let tap = min((first_k4 + slab_k4) / p.c4, last_tap);
    let weight_tap = (phase_index * p.kernel_h + first.y + tap / p.live_w) * p.kernel_w + first.x + tap % p.live_w;
    let at = (weight_tap * p.c4 + (first_k4 + slab_k4) % p.c4) * 4u * p.n4 + column;
    let w0 = vec4<f32>(w[at]);
    let w1 = vec4<f32>(w[at + p.n4]);
    let w2 = vec4<f32>(w[at + 2u * p.n4]);
    let w3 = vec4<f32>(w[at + 3u * p.n4]);
    for (var pixel = 0u; pixel < PIXELS; pixel++) { // @unroll
      let value = shared_tile[pixel * SLAB_K4 + slab_k4];
      sums[pixel] += value.x * w0 + value.y * w1 + value.z * w2 + value.w * w3;
    }
  }

  // The threads along K are added up in their order, ROUND pixels at a time.
  for (var turn = 0u; turn < ROUNDS; turn++) { // @unroll
    workgroupBarrier();
    for (var q = 0u; q < ROUND; q++) { // @unroll
      shared_tile[q * WIDE * DEEP + thread] = sums[turn * ROUND + q];
    }
    workgroupBarrier();
    let m = m_base + turn * ROUND + local.y;
    if (local.y < ROUND && n4 < p.n4 && m < p.m) {
      var sum = vec4<f32>();
      for (var d = 0u; d < DEEP; d++) {
        sum += shared_tile[(local.y * DEEP + d) * WIDE + local.x];
      }
      y[(group.z * p.m + m) * p.n4 + n4] = sum;
    }
  }
}
