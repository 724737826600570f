// Mean and centred sum of squares of each slice of the pixels, a channel a thread. Values are taken from the slice's
// first, so that a mean far above the deviation costs no digits.
// use lib/index
// use lib/lanes
// use lib/pixel_slices
struct Params {
  sets: u32,           // sets of pixels with statistics of their own: 1 in a batch norm, N in an instance norm
  set_pixels: u32,
  slices: u32,         // of a set
  slice_pixels: u32,   // the last slice may have fewer
  c: u32,
  x_pitch: u32,
  x_offset: u32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;               // [sets * set_pixels, C], pitched
@group(0) @binding(1) var<storage, read_write> partial: array<T>;   // [sets * slices, 2, C]: means, sums of squares
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.sets * p.slices * (p.c / LANES)) { return; }
  let slice = pixel_slice(i, p.c / LANES, p.set_pixels, p.slices, p.slice_pixels);
  let first = x[at(slice.begin, p.x_pitch, p.x_offset, slice.c)];
  var sum = T(0.0);
  var squares = T(0.0);
  for (var pixel = slice.begin + 1u; pixel < slice.end; pixel++) {
    let d = x[at(pixel, p.x_pitch, p.x_offset, slice.c)] - first;
    sum += d;
    squares += d * d;
  }
  let mean = sum / f32(slice.end - slice.begin);
  partial[at(2u * slice.index, p.c, 0u, slice.c)] = first + mean;
  partial[at(2u * slice.index + 1u, p.c, 0u, slice.c)] = max(squares - sum * mean, T(0.0));
}
