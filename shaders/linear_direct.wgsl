// A fully connected layer, one thread an output. Clear, not fast: the variant that the others are compared with.
// use lib/index
// use lib/activation
override K: u32;          // features in
override M: u32;          // features out
override X_PITCH: u32;
override X_OFFSET: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;
override SIZE: u32;       // N * M
override HAS_BIAS: bool;

@group(0) @binding(0) var<storage, read> x: array<f32>;         // [N, K], pitched
@group(0) @binding(1) var<storage, read> w: array<f32>;         // [K, M]
@group(0) @binding(2) var<storage, read> bias: array<f32>;      // [M]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;   // [N, M], pitched

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE) { return; }
  let m = i % M;
  let n = i / M;
  var sum = 0.0;
  if (HAS_BIAS) { sum = bias[m]; }
  for (var k = 0u; k < K; k++) {
    sum += x[n * X_PITCH + X_OFFSET + k] * w[k * M + m];
  }
  y[n * Y_PITCH + Y_OFFSET + m] = activate(sum);
}
