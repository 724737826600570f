// Joins the slices' sums in their order, a channel a thread: they are the gradients of weight and bias, and make with the
// gradients of the statistics themselves the three numbers by which dx = scale dz + slope_x (x - mean) + constant.
// use lib/index
struct Params {
  sets: u32,
  set_pixels: u32,
  slices: u32,
  c: u32,
  affine: u32,            // 0 without weight and bias
  eps: f32,
  variance_pitch: u32,
  variance_offset: u32,
  has_d_mean: u32,        // whether the mean as an output has a gradient
  d_mean_pitch: u32,
  d_mean_offset: u32,
  has_d_variance: u32,
  d_variance_pitch: u32,
  d_variance_offset: u32,
  d_weight_offset: u32,
  d_bias_offset: u32,
}

@group(0) @binding(0) var<storage, read> partial: array<f32>;             // [sets, slices, 2, C]: of dz, of dz * xhat
@group(0) @binding(1) var<storage, read> weight: array<f32>;              // [C]
@group(0) @binding(2) var<storage, read> variance: array<f32>;            // [sets, C], pitched
@group(0) @binding(3) var<storage, read> d_mean: array<f32>;              // [sets, C], pitched
@group(0) @binding(4) var<storage, read> d_variance: array<f32>;          // [sets, C], pitched
@group(0) @binding(5) var<storage, read_write> d_weight: array<f32>;      // [sets, C]: sums of dz * xhat
@group(0) @binding(6) var<storage, read_write> d_bias: array<f32>;        // [sets, C]: sums of dz
@group(0) @binding(7) var<storage, read_write> coefficients: array<f32>;  // [sets, 3, C]
@group(0) @binding(8) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.sets * p.c) { return; }
  let set_index = i / p.c;
  let c = i % p.c;
  var sum = 0.0;
  var sum_xhat = 0.0;
  for (var slice = 0u; slice < p.slices; slice++) {
    let row = 2u * (set_index * p.slices + slice);
    sum += partial[row * p.c + c];
    sum_xhat += partial[(row + 1u) * p.c + c];
  }
  d_bias[i + p.d_bias_offset] = sum;
  d_weight[i + p.d_weight_offset] = sum_xhat;

  let inverse = inverseSqrt(variance[set_index * p.variance_pitch + p.variance_offset + c] + p.eps);
  var scale = inverse;
  if (p.affine == 1u) { scale *= weight[c]; }
  let count = f32(p.set_pixels);
  var slope_x = -scale * inverse * sum_xhat / count;
  var constant = -scale * sum / count;
  if (p.has_d_variance == 1u) { slope_x += 2.0 * d_variance[set_index * p.d_variance_pitch + p.d_variance_offset + c] / count; }
  if (p.has_d_mean == 1u) { constant += d_mean[set_index * p.d_mean_pitch + p.d_mean_offset + c] / count; }
  coefficients[3u * set_index * p.c + c] = scale;
  coefficients[(3u * set_index + 1u) * p.c + c] = slope_x;
  coefficients[(3u * set_index + 2u) * p.c + c] = constant;
}
