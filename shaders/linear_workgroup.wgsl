// A fully connected layer for GPUs, whose threads few outputs would leave idle: a workgroup of 16 x 16 makes 16 outputs,
// each from 16 partial sums that a tree in workgroup memory joins.
// use lib/activation
override K: u32;          // features in
override M: u32;          // features out
override X_PITCH: u32;
override X_OFFSET: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;
override HAS_BIAS: bool;

@group(0) @binding(0) var<storage, read> x: array<f32>;         // [N, K], pitched
@group(0) @binding(1) var<storage, read> w: array<f32>;         // [K, M]
@group(0) @binding(2) var<storage, read> bias: array<f32>;      // [M]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;   // [N, M], pitched

var<workgroup> partial: array<f32, 256>;   // [16 parts of K][16 of M]

@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let m = group.x * 16u + local.x;
  let n = group.y;
  var sum = 0.0;
  if (m < M) {
    for (var k = local.y; k < K; k += 16u) {
      sum += x[n * X_PITCH + X_OFFSET + k] * w[k * M + m];
    }
  }
  partial[thread] = sum;
  for (var parts = 8u; parts > 0u; parts /= 2u) {
    workgroupBarrier();
    if (local.y < parts) { partial[thread] += partial[thread + parts * 16u]; }
  }
  if (local.y > 0u || m >= M) { return; }
  sum = partial[thread];
  if (HAS_BIAS) { sum += bias[m]; }
  y[n * Y_PITCH + Y_OFFSET + m] = activate(sum);
}
