// How many tiles of every chunk are needed, for either order of tile_order.wgsl. One thread a chunk and order.
// use lib/index
// use lib/tile_flags
struct Params {
  high: u32,     // tiles
  wide: u32,
  size: u32,     // N * high * wide
  chunks: u32,   // ceil(size / CHUNK)
}

@group(0) @binding(0) var<storage, read> flags: array<f32>;          // [N, high, wide]
@group(0) @binding(1) var<storage, read_write> counts: array<f32>;   // [2, chunks]
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= 2u * p.chunks) { return; }
  let first = i % p.chunks * CHUNK;
  var count = 0u;
  for (var tile = first; tile < min(first + CHUNK, p.size); tile++) {
    count += u32(is_flagged(tile, i >= p.chunks));
  }
  counts[i] = f32(count);
}
