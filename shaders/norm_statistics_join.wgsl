// Joins the slices' statistics in their order, a channel a thread: the mean of the means, then the squares about it.
// use lib/index
struct Params {
  sets: u32,
  set_pixels: u32,
  slices: u32,
  slice_pixels: u32,
  c: u32,
  mean_pitch: u32,
  mean_offset: u32,
  variance_pitch: u32,
  variance_offset: u32,
}

@group(0) @binding(0) var<storage, read> partial: array<f32>;          // [sets, slices, 2, C]: means, sums of squares
@group(0) @binding(1) var<storage, read_write> mean: array<f32>;       // [sets, C], pitched
@group(0) @binding(2) var<storage, read_write> variance: array<f32>;   // [sets, C], pitched; biased
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.sets * p.c) { return; }
  let set_index = i / p.c;
  let c = i % p.c;
  let begin = 2u * set_index * p.slices * p.c + c;
  let first = partial[begin];
  var sum = 0.0;
  for (var slice = 1u; slice < p.slices; slice++) {
    let count = f32(min(p.slice_pixels, p.set_pixels - slice * p.slice_pixels));
    sum += count * (partial[begin + 2u * slice * p.c] - first);
  }
  let center = sum / f32(p.set_pixels);   // from the first slice's mean
  var squares = 0.0;
  for (var slice = 0u; slice < p.slices; slice++) {
    let count = f32(min(p.slice_pixels, p.set_pixels - slice * p.slice_pixels));
    let d = partial[begin + 2u * slice * p.c] - first - center;
    squares += partial[begin + (2u * slice + 1u) * p.c] + count * d * d;
  }
  mean[set_index * p.mean_pitch + p.mean_offset + c] = first + center;
  variance[set_index * p.variance_pitch + p.variance_offset + c] = squares / f32(p.set_pixels);
}
