// dx = scale * dz + slope_x * (x - mean) + constant: a normalisation's gradient once its sums are known.
// use lib/index
// use lib/activation_derivative
// use lib/pixel_slices
// use lib/lanes
struct Params {
  sets: u32,
  set_pixels: u32,
  slices: u32,
  slice_pixels: u32,
  c: u32,
  affine: u32,   // 0 without weight and bias
  dy_pitch: u32,
  dy_offset: u32,
  x_pitch: u32,
  x_offset: u32,
  mean_pitch: u32,
  mean_offset: u32,
  dx_pitch: u32,
  dx_offset: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<T>;             // [sets * set_pixels, C], pitched
@group(0) @binding(1) var<storage, read> x: array<T>;              // [sets * set_pixels, C], pitched
@group(0) @binding(2) var<storage, read> bias: array<T>;           // [C]
@group(0) @binding(3) var<storage, read> mean: array<T>;           // [sets, C], pitched
@group(0) @binding(4) var<storage, read> coefficients: array<T>;   // [sets, 3, C]: scale, slope_x, constant
@group(0) @binding(5) var<storage, read_write> dx: array<T>;       // [sets * set_pixels, C], pitched
@group(0) @binding(6) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.sets * p.slices * (p.c / LANES)) { return; }
  let slice = pixel_slice(i, p.c / LANES, p.set_pixels, p.slices, p.slice_pixels);
  let center = mean[at(slice.set_index, p.mean_pitch, p.mean_offset, slice.c)];
  let scale = coefficients[at(3u * slice.set_index, p.c, 0u, slice.c)];
  let slope_x = coefficients[at(3u * slice.set_index + 1u, p.c, 0u, slice.c)];
  let constant = coefficients[at(3u * slice.set_index + 2u, p.c, 0u, slice.c)];
  var shift = T(0.0);
  if (p.affine == 1u) { shift = bias[slice.c]; }
  for (var pixel = slice.begin; pixel < slice.end; pixel++) {
    let centered = x[at(pixel, p.x_pitch, p.x_offset, slice.c)] - center;
    let dz = dy[at(pixel, p.dy_pitch, p.dy_offset, slice.c)] * activation_derivative(activate_lanes(centered * scale + shift));
    dx[at(pixel, p.dx_pitch, p.dx_offset, slice.c)] = scale * dz + slope_x * centered + constant;
  }
}
