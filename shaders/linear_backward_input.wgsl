// Input gradient of a fully connected layer, dx = dy w^T: one thread an element.
// use lib/index
struct Params {
  n: u32,
  k: u32,   // features in
  m: u32,   // features out
  dy_pitch: u32,
  dy_offset: u32,
  dx_pitch: u32,
  dx_offset: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;         // [N, M], pitched
@group(0) @binding(1) var<storage, read> w: array<f32>;          // [K, M]
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;   // [N, K], pitched
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.n * p.k) { return; }
  let n = i / p.k;
  let k = i % p.k;
  var sum = 0.0;
  for (var m = 0u; m < p.m; m++) {
    sum += dy[n * p.dy_pitch + p.dy_offset + m] * w[k * p.m + m];
  }
  dx[n * p.dx_pitch + p.dx_offset + k] = sum;
}
