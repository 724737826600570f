// The mask's gradient of equation (1): dm = sum over channels of dy (l + x g_mix - x g_bg), one thread a pixel.
// use lib/index
// use lib/lanes
struct Params {
  size: u32,       // N * H * W
  hw: u32,         // pixels of an image
  c: u32,
  dy_pitch: u32,
  dy_offset: u32,
  l_pitch: u32,
  l_offset: u32,
  x_pitch: u32,
  x_offset: u32,
  gates_pitch: u32,
  gates_offset: u32,
  dm_pitch: u32,
  dm_offset: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<T>;           // [N, H, W, C], pitched
@group(0) @binding(1) var<storage, read> l: array<T>;            // [N, H, W, C], pitched
@group(0) @binding(2) var<storage, read> x: array<T>;            // [N, H, W, C], pitched
@group(0) @binding(3) var<storage, read> gates: array<T>;        // [N, 2 C], pitched: mix, background
@group(0) @binding(4) var<storage, read_write> dm: array<f32>;   // [N, H, W, 1], pitched
@group(0) @binding(5) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size) { return; }
  let n = i / p.hw;
  var sum = T(0.0);
  for (var c = 0u; c < p.c / LANES; c++) {
    let share = gates[at(n, p.gates_pitch, p.gates_offset, c)] - gates[at(n, p.gates_pitch, p.gates_offset + p.c, c)];
    let difference = l[at(i, p.l_pitch, p.l_offset, c)] + x[at(i, p.x_pitch, p.x_offset, c)] * share;
    sum += dy[at(i, p.dy_pitch, p.dy_offset, c)] * difference;
  }
  dm[i * p.dm_pitch + p.dm_offset] = add_lanes(sum);
}
