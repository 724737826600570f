// Adds partial results in a fixed order: y[i] is the sum over slices of partial[slice, i]. One thread an element.
// use lib/index
override SIZE: u32;
override SLICES: u32;

@group(0) @binding(0) var<storage, read> partial: array<f32>;   // [SLICES, SIZE]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;   // [SIZE]

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE) { return; }
  var sum = 0.0;
  for (var slice = 0u; slice < SLICES; slice++) {
    sum += partial[slice * SIZE + i];
  }
  y[i] = sum;
}
