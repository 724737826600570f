// Adds up the weight gradients that the slices of pixels have left, in their order. One thread an element.
// use lib/index
struct Params {
  size: u32,       // of dw
  slices: u32,
  c_in: u32,
  c_out: u32,
  rows: u32,       // of an input channel's block in a slice: c_in, or more where it is padded
  columns: u32,    // c_out, or more where it is padded
  plane: u32,      // elements of a slice
  dw_pitch: u32,
  dw_offset: u32,
}

@group(0) @binding(0) var<storage, read> partial: array<f32>;   // [slices, R * S, rows, columns]
@group(0) @binding(1) var<storage, read_write> dw: array<f32>;       // [R, S, c_in, c_out], pitched
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size) { return; }
  let row = i / p.c_out;
  let at = (row / p.c_in * p.rows + row % p.c_in) * p.columns + i % p.c_out;
  var sum = 0.0;
  for (var slice = 0u; slice < p.slices; slice++) {
    sum += partial[slice * p.plane + at];
  }
  dw[row * p.dw_pitch + p.dw_offset + i % p.c_out] = sum;
}
