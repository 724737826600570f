// Gradients of the channel gate: dx = dy * g + addend, and of each slice of the pixels the sum of dy * x, for dg.
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
  x_pitch: u32,
  x_offset: u32,
  g_pitch: u32,
  g_offset: u32,
  dx_pitch: u32,
  dx_offset: u32,
  adds: u32,           // 1: the addend
  addend_pitch: u32,
  addend_offset: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<T>;              // [N, H, W, C], pitched
@group(0) @binding(1) var<storage, read> x: array<T>;               // [N, H, W, C], pitched
@group(0) @binding(2) var<storage, read> g: array<T>;               // [N, C], pitched
@group(0) @binding(3) var<storage, read_write> dx: array<T>;        // [N, H, W, C], pitched
@group(0) @binding(4) var<storage, read_write> partial: array<T>;   // [N, slices, C]
@group(0) @binding(5) var<storage, read> addend: array<T>;          // [N, H, W, C], pitched
@group(0) @binding(6) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.sets * p.slices * (p.c / LANES)) { return; }
  let slice = pixel_slice(i, p.c / LANES, p.set_pixels, p.slices, p.slice_pixels);
  let gate = g[at(slice.set_index, p.g_pitch, p.g_offset, slice.c)];
  var sum = T(0.0);
  for (var pixel = slice.begin; pixel < slice.end; pixel++) {
    let d = dy[at(pixel, p.dy_pitch, p.dy_offset, slice.c)];
    var value = d * gate;
    if (p.adds == 1u) { value += addend[at(pixel, p.addend_pitch, p.addend_offset, slice.c)]; }
    dx[at(pixel, p.dx_pitch, p.dx_offset, slice.c)] = value;
    sum += d * x[at(pixel, p.x_pitch, p.x_offset, slice.c)];
  }
  partial[at(slice.index, p.c, 0u, slice.c)] = sum;
}
