// Winograd F(4x4, 3x3): every 6x6 window of the input (its tile of 4x4 outputs with a rim) becomes its 36 factors. One
// thread a tile and channel.
// use lib/index
// use lib/winograd
// use lib/input_gate
// use lib/tile_order
struct Params {
  h: u32,
  w: u32,
  c_in: u32,
  x_pitch: u32,
  x_offset: u32,
  relu: u32,         // 1: of x, as it is read
  tiles_high: u32,
  tiles_wide: u32,
  first: u32,        // tile of this band, in their order
  tiles: u32,        // in this band
  v_row: u32,        // elements of v from one tile to the next
}

alias X = f32;   // specialised: elements of x as they are stored

@group(0) @binding(0) var<storage, read> x: array<X>;           // [N, h, w, c_in], pitched
@group(0) @binding(1) var<storage, read_write> v: array<f32>;   // [36, tiles, c_in], tiles v_row apart
@group(0) @binding(2) var<uniform> p: Params;

// A row of the window, transformed along its columns.
fn row_factors(image: u32, row: u32, left: u32, channel: u32) -> array<f32, 6> {
  let pixel = (image * p.h + min(row, p.h - 1u)) * p.w;
  let exists = row < p.h;
  return input_transform(array<f32, 6>(
    value_at(pixel, left, exists, channel), value_at(pixel, left + 1u, exists, channel),
    value_at(pixel, left + 2u, exists, channel), value_at(pixel, left + 3u, exists, channel),
    value_at(pixel, left + 4u, exists, channel), value_at(pixel, left + 5u, exists, channel)));
}

fn value_at(row: u32, column: u32, row_exists: bool, channel: u32) -> f32 {
  let value = f32(x[(row + min(column, p.w - 1u)) * p.x_pitch + channel]);
  return select(0.0, select(value, max(value, 0.0), p.relu == 1u), row_exists & (column < p.w));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.tiles * p.c_in) { return; }
  let tile = tile_at(p.first + i / p.c_in);
  let image = tile / (p.tiles_wide * p.tiles_high);
  let top = tile / p.tiles_wide % p.tiles_high * TILE - 1u;   // wraps to a huge number above the image
  let left = tile % p.tiles_wide * TILE - 1u;
  let channel = p.x_offset + i % p.c_in;
  let v_index = i / p.c_in * p.v_row + i % p.c_in;

  // Values, not variables, for a compiler that keeps no array in registers.
  let rows = array<array<f32, 6>, 6>(
    row_factors(image, top, left, channel), row_factors(image, top + 1u, left, channel),
    row_factors(image, top + 2u, left, channel), row_factors(image, top + 3u, left, channel),
    row_factors(image, top + 4u, left, channel), row_factors(image, top + 5u, left, channel));
  let scale = gate_of(image, i % p.c_in);
  for (var c = 0u; c < 6u; c++) { // @unroll
    let column = input_transform(array<f32, 6>(rows[0][c], rows[1][c], rows[2][c], rows[3][c], rows[4][c], rows[5][c]));
    for (var r = 0u; r < 6u; r++) { // @unroll
      v[(r * 6u + c) * (p.tiles * p.v_row) + v_index] = column[r] * scale;
    }
  }
}
