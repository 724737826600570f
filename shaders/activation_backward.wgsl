// dx = dy * f'(x) of an activation, told from its output y.
// use lib/index
// use lib/activation_derivative
// use lib/lanes
struct Params {
  size: u32,   // elements of y
  c: u32,
  dy_pitch: u32,
  dy_offset: u32,
  y_pitch: u32,
  y_offset: u32,
  dx_pitch: u32,
  dx_offset: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<T>;         // [..., C], pitched
@group(0) @binding(1) var<storage, read> y: array<T>;          // [..., C], pitched
@group(0) @binding(2) var<storage, read_write> dx: array<T>;   // [..., C], pitched
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size / LANES) { return; }
  let pixel = i / (p.c / LANES);
  let c = i % (p.c / LANES);
  let slope = activation_derivative(y[at(pixel, p.y_pitch, p.y_offset, c)]);
  dx[at(pixel, p.dx_pitch, p.dx_offset, c)] = dy[at(pixel, p.dy_pitch, p.dy_offset, c)] * slope;
}
