// Winograd F(4x4, 3x3): the 36 products of a tile become its 4x4 outputs, plus bias and activation. One thread a tile
// and channel.
// use lib/index
// use lib/winograd
// use lib/epilogue
// use lib/tile_order
struct Params {
  oh: u32,
  ow: u32,
  c_out: u32,
  y_pitch: u32,
  y_offset: u32,
  has_bias: u32,
  tiles_high: u32,
  tiles_wide: u32,
  first: u32,        // tile of this band, in their order
  tiles: u32,        // in this band
  m_row: u32,        // elements of m from one tile to the next
}

alias Y = f32;   // specialised: elements of y as they are stored

@group(0) @binding(0) var<storage, read> m: array<f32>;         // [36, tiles, c_out], tiles m_row apart
@group(0) @binding(1) var<storage, read> bias: array<f32>;      // [c_out]
@group(0) @binding(2) var<storage, read_write> y: array<Y>;     // [N, oh, ow, c_out], pitched
@group(0) @binding(3) var<uniform> p: Params;

// A row of a tile's products, transformed along its columns.
fn row_outputs(index: u32, step: u32) -> array<f32, 4> {
  return output_transform(array<f32, 6>(
    m[index], m[index + step], m[index + 2u * step], m[index + 3u * step], m[index + 4u * step], m[index + 5u * step]));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.tiles * p.c_out) { return; }
  let tile = tile_at(p.first + i / p.c_out);
  let image = tile / (p.tiles_wide * p.tiles_high);
  let top = tile / p.tiles_wide % p.tiles_high * TILE;
  let left = tile % p.tiles_wide * TILE;
  let channel = i % p.c_out;
  let composing = composing_of(image, channel);
  let m_index = i / p.c_out * p.m_row + channel;
  let step = p.tiles * p.m_row;
  var offset = 0.0;
  if (p.has_bias == 1u) { offset = bias[channel]; }

  // Values, not variables, for a compiler that keeps no array in registers.
  let rows = array<array<f32, 4>, 6>(
    row_outputs(m_index, step), row_outputs(m_index + 6u * step, step), row_outputs(m_index + 12u * step, step),
    row_outputs(m_index + 18u * step, step), row_outputs(m_index + 24u * step, step), row_outputs(m_index + 30u * step, step));
  for (var c = 0u; c < TILE; c++) { // @unroll
    let column = output_transform(array<f32, 6>(rows[0][c], rows[1][c], rows[2][c], rows[3][c], rows[4][c], rows[5][c]));
    for (var r = 0u; r < TILE; r++) { // @unroll
      if ((top + r < p.oh) & (left + c < p.ow)) {
        let pixel = (image * p.oh + top + r) * p.ow + left + c;
        y[pixel * p.y_pitch + p.y_offset + channel] = Y(epilogue_composing(column[r] + offset, composing, pixel, channel));
      }
    }
  }
}
