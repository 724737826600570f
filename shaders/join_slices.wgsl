// Adds up the sums that the slices of each set of pixels have left, in their order, a channel a thread.
// use lib/index
struct Params {
  sets: u32,
  slices: u32,   // of a set
  c: u32,
  y_pitch: u32,
  y_offset: u32,
}

@group(0) @binding(0) var<storage, read> partial: array<f32>;   // [sets, slices, C]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;   // [sets, C], pitched
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.sets * p.c) { return; }
  let set_index = i / p.c;
  let c = i % p.c;
  var sum = 0.0;
  for (var slice = 0u; slice < p.slices; slice++) {
    sum += partial[(set_index * p.slices + slice) * p.c + c];
  }
  y[set_index * p.y_pitch + p.y_offset + c] = sum;
}
