// Weight gradient of a 2-D convolution, one thread a weight: the sum over all output pixels. Clear, not fast.
// use lib/index
struct Params {
  n: u32,           // images
  h: u32,           // input of the convolution
  w: u32,
  c_in: u32,
  x_pitch: u32,
  x_offset: u32,
  kernel_w: u32,
  stride: u32,
  pad: u32,
  oh: u32,          // output of the convolution
  ow: u32,
  c_out: u32,
  dy_pitch: u32,
  dy_offset: u32,
  relu_dy: u32,
  dw_pitch: u32,
  dw_offset: u32,
  rows: u32,        // of dw: R * S * C_IN
}

@group(0) @binding(0) var<storage, read> x: array<f32>;          // [n, h, w, c_in], pitched
@group(0) @binding(1) var<storage, read> dy: array<f32>;         // [n, oh, ow, c_out], pitched
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;   // [R, S, c_in, c_out], pitched
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  let k = i % p.c_out;
  let m = i / p.c_out;
  if (m >= p.rows) { return; }
  let c = m % p.c_in;
  let s = m / p.c_in % p.kernel_w;
  let r = m / p.c_in / p.kernel_w;
  var sum = 0.0;
  for (var row = 0u; row < p.n * p.oh; row++) {
    let ih = row % p.oh * p.stride + r - p.pad;   // wraps to a huge number above the image
    if (ih >= p.h) { continue; }
    var part = 0.0;   // a row's own sum: rounding grows with the longest chain of additions
    for (var ow = 0u; ow < p.ow; ow++) {
      let iw = ow * p.stride + s - p.pad;
      if (iw >= p.w) { continue; }
      var d = dy[(row * p.ow + ow) * p.dy_pitch + p.dy_offset + k];
      if (p.relu_dy == 1u) { d = max(d, 0.0); }
      part += x[((row / p.oh * p.h + ih) * p.w + iw) * p.x_pitch + p.x_offset + c] * d;
    }
    sum += part;
  }
  dw[m * p.dw_pitch + p.dw_offset + k] = sum;
}
