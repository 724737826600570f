// Transposed 2-D convolution, one thread an output: gathers the taps that reach it. Clear, not fast.
// use lib/index
// use lib/epilogue
override H: u32;          // input
override W: u32;
override C_IN: u32;
override X_PITCH: u32;    // elements from one input pixel to the next
override X_OFFSET: u32;   // elements before its channel 0
override R: u32;          // kernel rows
override S: u32;          // kernel columns
override STRIDE: u32;
override PAD: u32;
override OH: u32;         // output
override OW: u32;
override C_OUT: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;
override SIZE: u32;       // N * OH * OW * C_OUT
override HAS_BIAS: bool;
override RELU_INPUT: bool;

alias X = f32;        // specialised: elements of x, of w and of y as they are stored; arithmetic is f32
alias WEIGHT = f32;   // specialised
alias Y = f32;        // specialised

@group(0) @binding(0) var<storage, read> x: array<X>;           // [N, H, W, C_IN], pitched
@group(0) @binding(1) var<storage, read> w: array<WEIGHT>;      // [R, S, C_OUT, C_IN]
@group(0) @binding(2) var<storage, read> bias: array<f32>;        // [C_OUT]
@group(0) @binding(3) var<storage, read_write> y: array<Y>;       // [N, OH, OW, C_OUT], pitched

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE) { return; }
  let oc = i % C_OUT;
  let pixel = i / C_OUT;
  let ow = pixel % OW;
  let oh = (pixel / OW) % OH;
  let n = pixel / (OW * OH);
  var sum = 0.0;
  if (HAS_BIAS) { sum = bias[oc]; }
  for (var r = 0u; r < R; r++) {
    let up = oh + PAD - r;   // STRIDE times the input row that tap r takes; wraps to a huge number below zero
    if (up % STRIDE != 0u || up / STRIDE >= H) { continue; }
    for (var s = 0u; s < S; s++) {
      let left = ow + PAD - s;
      if (left % STRIDE != 0u || left / STRIDE >= W) { continue; }
      let x_base = ((n * H + up / STRIDE) * W + left / STRIDE) * X_PITCH + X_OFFSET;
      let w_base = ((r * S + s) * C_OUT + oc) * C_IN;
      for (var c = 0u; c < C_IN; c++) {
        var value = f32(x[x_base + c]);
        if (RELU_INPUT) { value = max(value, 0.0); }
        sum += value * f32(w[w_base + c]);
      }
    }
  }
  y[pixel * Y_PITCH + Y_OFFSET + oc] = Y(epilogue(sum, n, pixel, oc));
}
