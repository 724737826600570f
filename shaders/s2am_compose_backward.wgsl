// Gradients of equation (1), y = m (l + x g_mix) + (1 - m) x g_bg: those of l and x, and of each slice of the pixels the
// sums of dy m x and dy (1 - m) x, for the gates.
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
  gates_pitch: u32,
  gates_offset: u32,
  m_pitch: u32,
  m_offset: u32,
  dl_pitch: u32,
  dl_offset: u32,
  dx_pitch: u32,
  dx_offset: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<T>;              // [N, H, W, C], pitched
@group(0) @binding(1) var<storage, read> x: array<T>;               // [N, H, W, C], pitched
@group(0) @binding(2) var<storage, read> gates: array<T>;           // [N, 2 C], pitched: mix, background
@group(0) @binding(3) var<storage, read> m: array<f32>;             // [N, H, W, 1], pitched
@group(0) @binding(4) var<storage, read_write> dl: array<T>;        // [N, H, W, C], pitched
@group(0) @binding(5) var<storage, read_write> dx: array<T>;        // [N, H, W, C], pitched
@group(0) @binding(6) var<storage, read_write> partial: array<T>;   // [N, slices, 2 C]: like the gates
@group(0) @binding(7) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.sets * p.slices * (p.c / LANES)) { return; }
  let slice = pixel_slice(i, p.c / LANES, p.set_pixels, p.slices, p.slice_pixels);
  let mix_gate = gates[at(slice.set_index, p.gates_pitch, p.gates_offset, slice.c)];
  let bg_gate = gates[at(slice.set_index, p.gates_pitch, p.gates_offset + p.c, slice.c)];
  var mix_sum = T(0.0);
  var bg_sum = T(0.0);
  for (var pixel = slice.begin; pixel < slice.end; pixel++) {
    let inside = m[pixel * p.m_pitch + p.m_offset];
    let d = dy[at(pixel, p.dy_pitch, p.dy_offset, slice.c)];
    let value = x[at(pixel, p.x_pitch, p.x_offset, slice.c)];
    dl[at(pixel, p.dl_pitch, p.dl_offset, slice.c)] = inside * d;
    dx[at(pixel, p.dx_pitch, p.dx_offset, slice.c)] = d * (inside * mix_gate + (1.0 - inside) * bg_gate);
    mix_sum += inside * d * value;
    bg_sum += (1.0 - inside) * d * value;
  }
  partial[at(2u * slice.index, p.c, 0u, slice.c)] = mix_sum;
  partial[at(2u * slice.index + 1u, p.c, 0u, slice.c)] = bg_sum;
}
