// 2-D convolution, one thread an output. Clear, not fast: the variant that the others are compared with.
// use lib/index
// use lib/input_gate
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

alias X = f32;        // specialised: elements of x, of w and of y as they are stored; arithmetic is f32
alias WEIGHT = f32;   // specialised
alias Y = f32;        // specialised

@group(0) @binding(0) var<storage, read> x: array<X>;           // [N, H, W, C_IN], pitched
@group(0) @binding(1) var<storage, read> w: array<WEIGHT>;      // [R, S, C_IN, C_OUT]
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
    let ih = oh * STRIDE + r - PAD;   // wraps to a huge number above the image
    if (ih >= H) { continue; }
    for (var s = 0u; s < S; s++) {
      let iw = ow * STRIDE + s - PAD;
      if (iw >= W) { continue; }
      let x_base = ((n * H + ih) * W + iw) * X_PITCH + X_OFFSET;
      let w_base = (r * S + s) * C_IN * C_OUT + oc;
      for (var c = 0u; c < C_IN; c++) {
        sum += f32(x[x_base + c]) * gate_of(n, c) * f32(w[w_base + c * C_OUT]);
      }
    }
  }
  y[pixel * Y_PITCH + Y_OFFSET + oc] = Y(epilogue(sum, n, pixel, oc));
}
