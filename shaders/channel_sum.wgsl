// Sums of each slice of the pixels, a channel a thread.
// use lib/index
// use lib/lanes
// use lib/pixel_slices
struct Params {
  sets: u32,           // sets of pixels that are summed apart
  set_pixels: u32,
  slices: u32,
  slice_pixels: u32,
  c: u32,
  x_pitch: u32,
  x_offset: u32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;               // [sets * set_pixels, C], pitched
@group(0) @binding(1) var<storage, read_write> partial: array<T>;   // [sets * slices, C]
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.sets * p.slices * (p.c / LANES)) { return; }
  let slice = pixel_slice(i, p.c / LANES, p.set_pixels, p.slices, p.slice_pixels);
  var sum = T(0.0);
  for (var pixel = slice.begin; pixel < slice.end; pixel++) {
    sum += x[at(pixel, p.x_pitch, p.x_offset, slice.c)];
  }
  partial[at(slice.index, p.c, 0u, slice.c)] = sum;
}
