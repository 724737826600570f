// The tiles in order, those needed first: once those that hold any of the mask, once those beside them too. One thread a
// chunk of tiles and order; it adds up what lies before its chunk, and so needs no other thread.
// use lib/index
// use lib/tile_flags
struct Params {
  high: u32,     // tiles
  wide: u32,
  size: u32,     // N * high * wide
  chunks: u32,   // ceil(size / CHUNK)
  within_offset: u32,
  around_offset: u32,
}

@group(0) @binding(0) var<storage, read> flags: array<f32>;          // [N, high, wide]
@group(0) @binding(1) var<storage, read> counts: array<f32>;         // [2, chunks]
@group(0) @binding(2) var<storage, read_write> within: array<f32>;   // [1 + size]: how many are needed, then the tiles
@group(0) @binding(3) var<storage, read_write> around: array<f32>;   // [1 + size]
@group(0) @binding(4) var<uniform> p: Params;

fn write(is_around: bool, place: u32, value: u32) {
  if (is_around) { around[p.around_offset + place] = f32(value); } else { within[p.within_offset + place] = f32(value); }
}

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
    write(is_around, 0u, needed);
  }
  var next = 1u + before;
  var next_idle = 1u + needed + chunk * CHUNK - before;
  for (var tile = chunk * CHUNK; tile < min((chunk + 1u) * CHUNK, p.size); tile++) {
    let flagged = is_flagged(tile, is_around);
    let place = select(next_idle, next, flagged);
    write(is_around, place, tile);
    next += select(0u, 1u, flagged);
    next_idle += select(1u, 0u, flagged);
  }
}
