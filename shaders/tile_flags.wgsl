// Which 4x4 tiles of a mask hold any of it: 1 or 0 a tile. One thread a tile.
// use lib/index
struct Params {
  h: u32,
  w: u32,
  m_pitch: u32,
  m_offset: u32,
  high: u32,    // tiles
  wide: u32,
  size: u32,    // N * high * wide
}

const TILE: u32 = 4u;

@group(0) @binding(0) var<storage, read> m: array<f32>;             // [N, h, w, 1], pitched
@group(0) @binding(1) var<storage, read_write> flags: array<f32>;   // [N, high, wide]
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let tile = index_1d(group, groups, local);
  if (tile >= p.size) { return; }
  let image = tile / (p.high * p.wide);
  let top = tile / p.wide % p.high * TILE;
  let left = tile % p.wide * TILE;
  var any = false;
  for (var r = 0u; r < TILE; r++) {
    for (var c = 0u; c < TILE; c++) {
      // Past the map's edge its last row and column again.
      let pixel = (image * p.h + min(top + r, p.h - 1u)) * p.w + min(left + c, p.w - 1u);
      any |= m[pixel * p.m_pitch + p.m_offset] != 0.0;
    }
  }
  flags[tile] = select(0.0, 1.0, any);
}
