// Gradient of a slice: dy in its channels, zeros in the others.
// use lib/index
struct Params {
  size: u32,     // elements of dx
  c: u32,        // channels of dx
  start: u32,    // the slice's first
  length: u32,   // and how many it has
  dy_pitch: u32,
  dy_offset: u32,
  dx_pitch: u32,
  dx_offset: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;         // [..., length], pitched
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;   // [..., C], pitched
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size) { return; }
  let pixel = i / p.c;
  let c = i % p.c;
  var value = 0.0;
  if (c >= p.start && c < p.start + p.length) { value = dy[pixel * p.dy_pitch + p.dy_offset + c - p.start]; }
  dx[pixel * p.dx_pitch + p.dx_offset + c] = value;
}
