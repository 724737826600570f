// Gradient of global pooling: every pixel takes its share of the average's, the maximum's pixel all of the maximum's;
// an addend is added where there is one.
// use lib/index
// use lib/lanes
// use lib/pixel_slices
struct Params {
  sets: u32,           // N
  set_pixels: u32,     // H * W
  slices: u32,
  slice_pixels: u32,
  c: u32,
  dy_pitch: u32,
  dy_offset: u32,
  first_pitch: u32,
  first_offset: u32,
  dx_pitch: u32,
  dx_offset: u32,
  adds: u32,           // 1: the addend
  addend_pitch: u32,
  addend_offset: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<T>;         // [N, 2 C], pitched: of averages, of maxima
@group(0) @binding(1) var<storage, read> first: array<T>;      // [N, C], pitched: the pixel of each maximum
@group(0) @binding(2) var<storage, read_write> dx: array<T>;   // [N, H, W, C], pitched
@group(0) @binding(3) var<storage, read> addend: array<T>;     // [N, H, W, C], pitched
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.sets * p.slices * (p.c / LANES)) { return; }
  let slice = pixel_slice(i, p.c / LANES, p.set_pixels, p.slices, p.slice_pixels);
  let average = dy[at(slice.set_index, p.dy_pitch, p.dy_offset, slice.c)] / f32(p.set_pixels);
  let maximum = dy[at(slice.set_index, p.dy_pitch, p.dy_offset, slice.c + p.c / LANES)];
  let winner = first[at(slice.set_index, p.first_pitch, p.first_offset, slice.c)];
  for (var pixel = slice.begin; pixel < slice.end; pixel++) {
    let place = f32(pixel - slice.set_index * p.set_pixels);
    var value = average + select(T(0.0), maximum, winner == T(place));
    if (p.adds == 1u) { value += addend[at(pixel, p.addend_pitch, p.addend_offset, slice.c)]; }
    dx[at(pixel, p.dx_pitch, p.dx_offset, slice.c)] = value;
  }
}
