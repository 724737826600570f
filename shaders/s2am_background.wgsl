// S2AM's composition, equation (1), where the mask is 0: the features under the background's gate, y = x * gate, in the 4x4
// tiles that an order leaves out. One thread a tile and channel, or four channels.
// use lib/index
// use lib/fused
struct Params {
  h: u32,
  w: u32,
  lanes: u32,         // of a pixel: channels / VECTOR
  x_pitch: u32,
  x_offset: u32,
  gates_pitch: u32,
  gates_offset: u32,  // of the background's
  y_pitch: u32,
  y_offset: u32,
  tiles_high: u32,
  tiles_wide: u32,
  tiles: u32,
}

const TILE: u32 = 4u;
alias X = T;   // specialised: elements of x and of y as they are stored
alias Y = T;   // specialised

@group(0) @binding(0) var<storage, read> x: array<X>;           // [N, h, w, c], pitched
@group(0) @binding(1) var<storage, read> gates: array<T>;       // [N, ..], pitched
@group(0) @binding(2) var<storage, read> order: array<f32>;     // [1 + tiles]: how many are not left out; the tiles, those first
@group(0) @binding(3) var<storage, read_write> y: array<Y>;     // [N, h, w, c], pitched
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  let place = i / p.lanes;
  if (place >= p.tiles || place < u32(order[0])) { return; }
  let tile = u32(order[1u + place]);
  let image = tile / (p.tiles_wide * p.tiles_high);
  let top = tile / p.tiles_wide % p.tiles_high * TILE;
  let left = tile % p.tiles_wide * TILE;
  let c = i % p.lanes;
  let gate = gates[place_of(image, p.gates_pitch, p.gates_offset, c)];
  for (var row = top; row < min(top + TILE, p.h); row++) {
    for (var column = left; column < min(left + TILE, p.w); column++) {
      let pixel = (image * p.h + row) * p.w + column;
      y[place_of(pixel, p.y_pitch, p.y_offset, c)] = Y(T(x[place_of(pixel, p.x_pitch, p.x_offset, c)]) * gate);
    }
  }
}
