// Parameter gradients of a fully connected layer, dw = x^T dy and dbias = sum of dy: one thread an element. The bias
// counts as one more row of the weight, whose x is 1.
// use lib/index
// use lib/lanes
struct Params {
  n: u32,
  k: u32,      // features in
  m: u32,      // features out
  bias: u32,   // 1 where d_bias is wanted
  x_pitch: u32,
  x_offset: u32,
  dy_pitch: u32,
  dy_offset: u32,
  dw_pitch: u32,
  dw_offset: u32,
  d_bias_offset: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;              // [N, K], pitched
@group(0) @binding(1) var<storage, read> dy: array<T>;               // [N, M], pitched
@group(0) @binding(2) var<storage, read_write> dw: array<T>;         // [K, M], pitched
@group(0) @binding(3) var<storage, read_write> d_bias: array<T>;     // [M]
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= (p.k + p.bias) * (p.m / LANES)) { return; }
  let k = i / (p.m / LANES);
  let m = i % (p.m / LANES);
  var sum = T(0.0);
  for (var n = 0u; n < p.n; n++) {
    let value = select(1.0, x[n * p.x_pitch + p.x_offset + min(k, p.k - 1u)], k < p.k);
    sum += value * dy[at(n, p.dy_pitch, p.dy_offset, m)];
  }
  if (k < p.k) {
    dw[at(k, p.dw_pitch, p.dw_offset, m)] = sum;
  } else {
    d_bias[p.d_bias_offset / LANES + m] = sum;
  }
}
