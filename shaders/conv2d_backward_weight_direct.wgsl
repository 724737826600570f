// Weight gradient of a 2-D convolution, one thread a weight: the sum over all output pixels. Clear, not fast.
// use lib/index
override N: u32;
override H: u32;          // input of the convolution
override W: u32;
override C_IN: u32;
override X_PITCH: u32;
override X_OFFSET: u32;
override S: u32;          // kernel columns
override STRIDE: u32;
override PAD: u32;
override OH: u32;         // output of the convolution
override OW: u32;
override C_OUT: u32;
override DY_PITCH: u32;
override DY_OFFSET: u32;
override SIZE: u32;       // R * S * C_IN * C_OUT
override RELU_DY: bool;

@group(0) @binding(0) var<storage, read> x: array<f32>;          // [N, H, W, C_IN], pitched
@group(0) @binding(1) var<storage, read> dy: array<f32>;         // [N, OH, OW, C_OUT], pitched
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;   // [R, S, C_IN, C_OUT]

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE) { return; }
  let oc = i % C_OUT;
  let c = (i / C_OUT) % C_IN;
  let s = (i / (C_OUT * C_IN)) % S;
  let r = i / (C_OUT * C_IN * S);
  var sum = 0.0;
  for (var row = 0u; row < N * OH; row++) {
    let ih = (row % OH) * STRIDE + r - PAD;   // wraps to a huge number above the image
    if (ih >= H) { continue; }
    var part = 0.0;   // a row's own sum: rounding grows with the longest chain of additions
    for (var ow = 0u; ow < OW; ow++) {
      let iw = ow * STRIDE + s - PAD;
      if (iw >= W) { continue; }
      var d = dy[(row * OW + ow) * DY_PITCH + DY_OFFSET + oc];
      if (RELU_DY) { d = max(d, 0.0); }
      part += x[((row / OH * H + ih) * W + iw) * X_PITCH + X_OFFSET + c] * d;
    }
    sum += part;
  }
  dw[i] = sum;
}
