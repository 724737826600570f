// Mean and maximum over the channels of each pixel, one thread a pixel.
// use lib/index
// use lib/lanes
override C: u32;
override SIZE: u32;       // N * H * W
override X_PITCH: u32;
override X_OFFSET: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;

@group(0) @binding(0) var<storage, read> x: array<T>;           // [N, H, W, C], pitched
@group(0) @binding(1) var<storage, read_write> y: array<f32>;   // [N, H, W, 2], pitched: mean, maximum

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE) { return; }
  var sum = T(0.0);
  var largest = x[at(i, X_PITCH, X_OFFSET, 0u)];
  for (var c = 0u; c < C / LANES; c++) {
    let value = x[at(i, X_PITCH, X_OFFSET, c)];
    sum += value;
    largest = max(largest, value);
  }
  let sums = vec4<f32>(sum) * (f32(LANES) / 4.0);   // a single lane stands here four times
  let maxima = vec4<f32>(largest);
  y[i * Y_PITCH + Y_OFFSET] = (sums.x + sums.y + sums.z + sums.w) / f32(C);
  y[i * Y_PITCH + Y_OFFSET + 1u] = max(max(maxima.x, maxima.y), max(maxima.z, maxima.w));
}
