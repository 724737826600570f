// Transposed 4x4 convolution of stride 2 and padding 1 as four tiled GEMMs, one a parity phase of the output: output
// pixels of one parity are a plain 2x2 convolution of the input, so no tap meets an inserted zero.
// M = input pixels, N = C_OUT, K = 2 * 2 * C_IN. For real GPUs. Channels, pitches and offsets are multiples of 4.
// use lib/gemm_tile
// use lib/epilogue
override H: u32;          // input; the output is 2 H x 2 W
override W: u32;
override C_IN: u32;
override X_PITCH: u32;
override X_OFFSET: u32;
override C_OUT: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;
override M: u32;          // N * H * W
override HAS_BIAS: bool;
override RELU_INPUT: bool;

alias X4 = vec4<f32>;   // specialised: elements of x, of w and of y as they are stored; sums are f32
alias W4 = vec4<f32>;   // specialised
alias Y4 = vec4<f32>;   // specialised

@group(0) @binding(0) var<storage, read> x: array<X4>;                // [N, H, W, C_IN / 4], pitched
@group(0) @binding(1) var<storage, read> w: array<W4>;                // [4, 4, C_IN, C_OUT / 4]
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;      // [C_OUT / 4]
@group(0) @binding(3) var<storage, read_write> y: array<Y4>;          // [N, 2 H, 2 W, C_OUT / 4], pitched

// Phase p of an axis takes kernel taps 1, 3 (p = 0) or 0, 2 (p = 1), from input rows h + (p + 1 - tap) / 2.
fn kernel_tap(phase: u32, t: u32) -> u32 { return 1u - phase + 2u * t; }
fn input_at(phase: u32, t: u32, at: u32) -> u32 { return at + phase - t; }

fn load_x(m: u32, k4: u32, phase: vec2<u32>) -> vec4<f32> {
  let tap = k4 / (C_IN / 4u);
  let ih = input_at(phase.y, tap / 2u, (m / W) % H);
  let iw = input_at(phase.x, tap % 2u, m % W);
  if (m >= M || tap >= 4u || ih >= H || iw >= W) { return vec4<f32>(); }
  let value = vec4<f32>(x[((m / (W * H) * H + ih) * W + iw) * (X_PITCH / 4u) + X_OFFSET / 4u + k4 % (C_IN / 4u)]);
  return select(value, max(value, vec4<f32>()), RELU_INPUT);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let phase = vec2<u32>(group.z % 2u, group.z / 2u);
  let m_base = group.x * TILE_M;
  let n4_base = group.y * (TILE_N / 4u);
  var acc: array<vec4<f32>, 16>;
  let a_k4 = thread % STEP_K4;
  let a_m4 = thread / STEP_K4;
  for (var step = 0u; step < (C_IN + STEP_K4 - 1u) / STEP_K4; step++) {
    let k4 = step * STEP_K4 + a_k4;
    let m = m_base + a_m4 * 4u;
    store_a(a_k4, a_m4, load_x(m, k4, phase), load_x(m + 1u, k4, phase), load_x(m + 2u, k4, phase), load_x(m + 3u, k4, phase));
    for (var i = 0u; i < 4u; i++) {
      let k = thread / 16u + i * 4u;
      let row = step * STEP_K4 * 4u + k;
      let n4 = n4_base + thread % 16u;
      let tap = row / C_IN;
      var value = vec4<f32>();
      if (tap < 4u && n4 < C_OUT / 4u) {
        let rs = kernel_tap(phase.y, tap / 2u) * 4u + kernel_tap(phase.x, tap % 2u);
        value = vec4<f32>(w[(rs * C_IN + row % C_IN) * (C_OUT / 4u) + n4]);
      }
      b_tile[k * 16u + thread % 16u] = B4(value);
    }
    workgroupBarrier();
    multiply_tiles(&acc, local.y * 2u, local.x * 2u);
    workgroupBarrier();
  }
  for (var i = 0u; i < 8u; i++) { // @unroll
    let m = m_base + local.y * 8u + i;
    let oh = ((m / W) % H) * 2u + phase.y;
    let ow = (m % W) * 2u + phase.x;
    let pixel = (m / (W * H) * 2u * H + oh) * 2u * W + ow;
    for (var j = 0u; j < 2u; j++) { // @unroll
      let n4 = n4_base + local.x * 2u + j;
      if (m < M && n4 < C_OUT / 4u) {
        var value = acc[i * 2u + j];
        if (HAS_BIAS) { value += bias[n4]; }
        y[pixel * (Y_PITCH / 4u) + Y_OFFSET / 4u + n4] = Y4(epilogue(value, m / (W * H), pixel, n4));
      }
    }
  }
}
