// 2-D convolution as a tiled GEMM whose left matrix is never built: M = output pixels, N = C_OUT, K = R * S * C_IN.
// For real GPUs. Channels, pitches and offsets are multiples of 4.
// use lib/gemm_tile
// use lib/input_gate
// use lib/epilogue
override H: u32;          // input
override W: u32;
override C_IN: u32;
override X_PITCH: u32;
override X_OFFSET: u32;
override R: u32;
override S: u32;
override STRIDE: u32;
override PAD: u32;
override OH: u32;         // output
override OW: u32;
override C_OUT: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;
override M: u32;          // N * OH * OW
override HAS_BIAS: bool;
override RELU_INPUT: bool = false;

alias X4 = vec4<f32>;   // specialised: elements of x, of w and of y as they are stored; sums are f32
alias W4 = vec4<f32>;   // specialised
alias Y4 = vec4<f32>;   // specialised

@group(0) @binding(0) var<storage, read> x: array<X4>;                // [N, H, W, C_IN / 4], pitched
@group(0) @binding(1) var<storage, read> w: array<W4>;                // [R, S, C_IN, C_OUT / 4]
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;      // [C_OUT / 4]
@group(0) @binding(3) var<storage, read_write> y: array<Y4>;          // [N, OH, OW, C_OUT / 4], pitched

// Four input channels under tap k4 of output pixel m, zero outside the image and past the end of K.
fn load_x(m: u32, k4: u32) -> vec4<f32> {
  let tap = k4 / (C_IN / 4u);
  let c4 = k4 % (C_IN / 4u);
  let ih = ((m / OW) % OH) * STRIDE + tap / S - PAD;   // wraps to a huge number above the image
  let iw = (m % OW) * STRIDE + tap % S - PAD;
  if (m >= M || tap >= R * S || ih >= H || iw >= W) { return vec4<f32>(); }
  let image = m / (OW * OH);
  let value = vec4<f32>(x[((image * H + ih) * W + iw) * (X_PITCH / 4u) + X_OFFSET / 4u + c4]) * gate_of(image, c4);
  return select(value, max(value, vec4<f32>()), RELU_INPUT);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let m_base = group.x * TILE_M;
  let n4_base = group.y * (TILE_N / 4u);
  var acc: array<vec4<f32>, 16>;
  let a_k4 = thread % STEP_K4;
  let a_m4 = thread / STEP_K4;
  for (var step = 0u; step < (R * S * C_IN / 4u + STEP_K4 - 1u) / STEP_K4; step++) {
    let k4 = step * STEP_K4 + a_k4;
    let m = m_base + a_m4 * 4u;
    store_a(a_k4, a_m4, load_x(m, k4), load_x(m + 1u, k4), load_x(m + 2u, k4), load_x(m + 3u, k4));
    for (var i = 0u; i < 4u; i++) {
      let k = thread / 16u + i * 4u;
      let row = step * STEP_K4 * 4u + k;
      let n4 = n4_base + thread % 16u;
      var value = vec4<f32>();
      if (row < R * S * C_IN && n4 < C_OUT / 4u) { value = vec4<f32>(w[row * (C_OUT / 4u) + n4]); }
      b_tile[k * 16u + thread % 16u] = B4(value);
    }
    workgroupBarrier();
    multiply_tiles(&acc, local.y * 2u, local.x * 2u);
    workgroupBarrier();
  }
  for (var i = 0u; i < 8u; i++) { // @unroll
    let m = m_base + local.y * 8u + i;
    for (var j = 0u; j < 2u; j++) { // @unroll
      let n4 = n4_base + local.x * 2u + j;
      if (m < M && n4 < C_OUT / 4u) {
        var value = acc[i * 2u + j];
        if (HAS_BIAS) { value += bias[n4]; }
        y[m * (Y_PITCH / 4u) + Y_OFFSET / 4u + n4] = Y4(epilogue(value, m / (OW * OH), m, n4));
      }
    }
  }
}
