// The tiles in order, those needed first: once those that hold any of the mask, once those beside them too. One thread a
// chunk of tiles and order; it adds up what lies before its chunk, and so needs no other thread.
// use lib/index
// use lib/tile_flags
struct Params {
  high: u32,     // tiles
  wide: u32,
  size: u32,     // N * high * wide
  chunks: u32,   // ceil(size / CHUNK)
}

@group(0) @binding(0) var<storage, read> flags: array<f32>;          // [N, high, wide]
@group(0) @binding(1) var<storage, read> counts: array<f32>;         // [2, chunks]
@group(0) @binding(2) var<storage, read_write> within: array<f32>;   // [1 + size]: how many are needed, then the tiles
@group(0) @binding(3) var<storage, read_write> around: array<f32>;   // [1 + size]
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= 2u * p.chunks) { return; }
  let is_around = i >= p.chunks;
  let chunk = i % p.chunks;
  var before = 0u;
  var needed = 0u;
  for (var c = 0u; c < p.chunks; c++) {
    let count = u32(counts[i - chunk + c]);
    needed += count;
    before += select(0u, count, c < chunk);
  }
  if (chunk == 0u) {
    if (is_around) { around[0] = f32(needed); } else { within[0] = f32(needed); }
  }
  var next = 1u + before;
  var next_idle = 1u + needed + chunk * CHUNK - before;
  for (var tile = chunk * CHUNK; tile < min((chunk + 1u) * CHUNK, p.size); tile++) {
    let flagged = is_flagged(tile, is_around);
    let place = select(next_idle, next, flagged);
    if (is_around) { around[place] = f32(tile); } else { within[place] = f32(tile); }
    next += select(0u, 1u, flagged);
    next_idle += select(1u, 0u, flagged);
  }
}
