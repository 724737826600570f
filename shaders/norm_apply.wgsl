// y = activation((x - mean) / sqrt(variance + eps) * weight + bias) with statistics of each set of pixels.
// use lib/index
// use lib/activation_lanes
// use lib/lanes
// use lib/pixel_slices
struct Params {
  sets: u32,
  set_pixels: u32,
  slices: u32,
  slice_pixels: u32,
  c: u32,
  affine: u32,   // 0 without weight and bias
  eps: f32,
  x_pitch: u32,
  x_offset: u32,
  mean_pitch: u32,
  mean_offset: u32,
  variance_pitch: u32,
  variance_offset: u32,
  y_pitch: u32,
  y_offset: u32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;          // [sets * set_pixels, C], pitched
@group(0) @binding(1) var<storage, read> weight: array<T>;     // [C]
@group(0) @binding(2) var<storage, read> bias: array<T>;       // [C]
@group(0) @binding(3) var<storage, read> mean: array<T>;       // [sets, C], pitched
@group(0) @binding(4) var<storage, read> variance: array<T>;   // [sets, C], pitched
@group(0) @binding(5) var<storage, read_write> y: array<T>;    // [sets * set_pixels, C], pitched
@group(0) @binding(6) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.sets * p.slices * (p.c / LANES)) { return; }
  let slice = pixel_slice(i, p.c / LANES, p.set_pixels, p.slices, p.slice_pixels);
  let center = mean[at(slice.set_index, p.mean_pitch, p.mean_offset, slice.c)];
  var scale = inverseSqrt(variance[at(slice.set_index, p.variance_pitch, p.variance_offset, slice.c)] + p.eps);
  var shift = T(0.0);
  if (p.affine == 1u) {
    scale *= weight[slice.c];
    shift = bias[slice.c];
  }
  for (var pixel = slice.begin; pixel < slice.end; pixel++) {
    let value = (x[at(pixel, p.x_pitch, p.x_offset, slice.c)] - center) * scale + shift;
    y[at(pixel, p.y_pitch, p.y_offset, slice.c)] = activate_lanes(value);
  }
}
