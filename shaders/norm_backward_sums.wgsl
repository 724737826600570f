// Of each slice of the pixels, the sums of dz and of dz * xhat: dz is the gradient before the activation, xhat the
// normalised x. Both are made again from x, so that the forward pass keeps nothing more.
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
  eps: f32,
  dy_pitch: u32,
  dy_offset: u32,
  x_pitch: u32,
  x_offset: u32,
  mean_pitch: u32,
  mean_offset: u32,
  variance_pitch: u32,
  variance_offset: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<T>;              // [sets * set_pixels, C], pitched
@group(0) @binding(1) var<storage, read> x: array<T>;               // [sets * set_pixels, C], pitched
@group(0) @binding(2) var<storage, read> weight: array<T>;          // [C]
@group(0) @binding(3) var<storage, read> bias: array<T>;            // [C]
@group(0) @binding(4) var<storage, read> mean: array<T>;            // [sets, C], pitched
@group(0) @binding(5) var<storage, read> variance: array<T>;        // [sets, C], pitched
@group(0) @binding(6) var<storage, read_write> partial: array<T>;   // [sets * slices, 2, C]: of dz, of dz * xhat
@group(0) @binding(7) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.sets * p.slices * (p.c / LANES)) { return; }
  let slice = pixel_slice(i, p.c / LANES, p.set_pixels, p.slices, p.slice_pixels);
  let center = mean[at(slice.set_index, p.mean_pitch, p.mean_offset, slice.c)];
  let inverse = inverseSqrt(variance[at(slice.set_index, p.variance_pitch, p.variance_offset, slice.c)] + p.eps);
  var scale = T(1.0);
  var shift = T(0.0);
  if (p.affine == 1u) {
    scale = weight[slice.c];
    shift = bias[slice.c];
  }
  var sum = T(0.0);
  var sum_xhat = T(0.0);
  for (var pixel = slice.begin; pixel < slice.end; pixel++) {
    let xhat = (x[at(pixel, p.x_pitch, p.x_offset, slice.c)] - center) * inverse;
    let dz = dy[at(pixel, p.dy_pitch, p.dy_offset, slice.c)] * activation_derivative(activate_lanes(xhat * scale + shift));
    sum += dz;
    sum_xhat += dz * xhat;
  }
  partial[at(2u * slice.index, p.c, 0u, slice.c)] = sum;
  partial[at(2u * slice.index + 1u, p.c, 0u, slice.c)] = sum_xhat;
}
