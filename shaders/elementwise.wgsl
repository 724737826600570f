// Sum or product of two tensors of one shape.
// use lib/index
// use lib/lanes
override OPERATION: u32;  // 0 add, 1 mul
override C: u32;
override SIZE: u32;       // elements of a
override A_PITCH: u32;
override A_OFFSET: u32;
override B_PITCH: u32;
override B_OFFSET: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;

@group(0) @binding(0) var<storage, read> a: array<T>;         // [..., C], pitched
@group(0) @binding(1) var<storage, read> b: array<T>;         // [..., C], pitched
@group(0) @binding(2) var<storage, read_write> y: array<T>;   // [..., C], pitched

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE / LANES) { return; }
  let c = i % (C / LANES);
  let pixel = i / (C / LANES);
  let left = a[at(pixel, A_PITCH, A_OFFSET, c)];
  let right = b[at(pixel, B_PITCH, B_OFFSET, c)];
  var value = left + right;
  if (OPERATION == 1u) { value = left * right; }
  y[at(pixel, Y_PITCH, Y_OFFSET, c)] = value;
}
