// Winograd F(4x4, 2x2): every 5x5 window of the input becomes its 25 factors. One thread a tile, part and channel. A
// convolution of kernel 4 and stride 2 has four parts, each parity of row and column, whose window takes every other
// pixel; in the product they follow each other as its terms. A transposed one has four phases, the parities of its output,
// whose windows lie a pixel apart; each has products of its own. Or the phases share one part: then the odd phases' tiles
// begin a pixel earlier, where their windows are those of the even ones.
// use lib/index
// use lib/winograd_pairs
struct Params {
  h: u32,
  w: u32,
  c_in: u32,
  x_pitch: u32,
  x_offset: u32,
  relu: u32,          // 1: of x, as it is read
  spacing: u32,       // 2: every other pixel
  parts: u32,         // 4, or 1 that all phases share
  tiles_high: u32,
  tiles_wide: u32,
  first: u32,         // tile of this band
  tiles: u32,         // in this band
  tile_stride: u32,   // elements of v from one tile to the next
  part_stride: u32,
  point_stride: u32,
}

alias X = f32;   // specialised: elements of x as they are stored

@group(0) @binding(0) var<storage, read> x: array<X>;           // [N, h, w, c_in], pitched
@group(0) @binding(1) var<storage, read_write> v: array<f32>;   // [25, tiles, parts, c_in] or [parts, 25, tiles, c_in]
@group(0) @binding(2) var<uniform> p: Params;

// A row of the window, transformed along its columns.
fn row_factors(image: u32, row: u32, left: u32, channel: u32) -> array<f32, 5> {
  let pixel = (image + min(row, p.h - 1u)) * p.w;
  let exists = row < p.h;
  return input_transform(array<f32, 5>(
    value_at(pixel, left, exists, channel), value_at(pixel, left + p.spacing, exists, channel),
    value_at(pixel, left + 2u * p.spacing, exists, channel), value_at(pixel, left + 3u * p.spacing, exists, channel),
    value_at(pixel, left + 4u * p.spacing, exists, channel)));
}

fn value_at(row: u32, column: u32, row_exists: bool, channel: u32) -> f32 {
  let value = f32(x[(row + min(column, p.w - 1u)) * p.x_pitch + channel]);
  return select(0.0, select(value, max(value, 0.0), p.relu == 1u), row_exists & (column < p.w));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.tiles * p.parts * p.c_in) { return; }
  let channel = i % p.c_in;
  let part = i / p.c_in % p.parts;
  let band_tile = i / (p.parts * p.c_in);
  let tile = p.first + band_tile;
  let image = tile / (p.tiles_wide * p.tiles_high) * p.h;
  let top = tile / p.tiles_wide % p.tiles_high * (TILE * p.spacing) + part / 2u - 1u;   // wraps to a huge number above the image
  let left = tile % p.tiles_wide * (TILE * p.spacing) + part % 2u - 1u;
  let v_index = band_tile * p.tile_stride + part * p.part_stride + channel;

  // Values, not variables, for a compiler that keeps no array in registers.
  let x_channel = p.x_offset + channel;
  let rows = array<array<f32, 5>, 5>(
    row_factors(image, top, left, x_channel), row_factors(image, top + p.spacing, left, x_channel),
    row_factors(image, top + 2u * p.spacing, left, x_channel), row_factors(image, top + 3u * p.spacing, left, x_channel),
    row_factors(image, top + 4u * p.spacing, left, x_channel));
  for (var c = 0u; c < 5u; c++) { // @unroll
    let column = input_transform(array<f32, 5>(rows[0][c], rows[1][c], rows[2][c], rows[3][c], rows[4][c]));
    for (var r = 0u; r < 5u; r++) { // @unroll
      v[v_index + (r * 5u + c) * p.point_stride] = column[r];
    }
  }
}
