// Batch norm with running statistics, as inference uses it.
// use lib/index
// use lib/activation_lanes
// use lib/lanes
override C: u32;
override SIZE: u32;       // N * H * W * C
override EPS: f32;
override X_PITCH: u32;
override X_OFFSET: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;

@group(0) @binding(0) var<storage, read> x: array<T>;               // [N, H, W, C], pitched
@group(0) @binding(1) var<storage, read> weight: array<T>;          // [C]
@group(0) @binding(2) var<storage, read> bias: array<T>;            // [C]
@group(0) @binding(3) var<storage, read> running_mean: array<T>;    // [C]
@group(0) @binding(4) var<storage, read> running_var: array<T>;     // [C]
@group(0) @binding(5) var<storage, read_write> y: array<T>;         // [N, H, W, C], pitched

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE / LANES) { return; }
  let c = i % (C / LANES);
  let pixel = i / (C / LANES);
  let scale = weight[c] * inverseSqrt(running_var[c] + EPS);
  y[at(pixel, Y_PITCH, Y_OFFSET, c)] = activate_lanes((x[at(pixel, X_PITCH, X_OFFSET, c)] - running_mean[c]) * scale + bias[c]);
}
