// An activation as a pass of its own.
// use lib/index
// use lib/activation_lanes
// use lib/lanes
override C: u32;
override SIZE: u32;       // elements of x
override X_PITCH: u32;
override X_OFFSET: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;

@group(0) @binding(0) var<storage, read> x: array<T>;         // [..., C], pitched
@group(0) @binding(1) var<storage, read_write> y: array<T>;   // [..., C], pitched

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE / LANES) { return; }
  let c = i % (C / LANES);
  let pixel = i / (C / LANES);
  y[at(pixel, Y_PITCH, Y_OFFSET, c)] = activate_lanes(x[at(pixel, X_PITCH, X_OFFSET, c)]);
}
