// Winograd F(4x4, 2x2): the 25 products of a tile, for each phase of a transposed convolution, become 4x4 outputs, plus
// bias and epilogue. One thread a tile, phase and channel.
// use lib/index
// use lib/winograd_pairs
// use lib/epilogue
struct Params {
  oh: u32,
  ow: u32,
  c_out: u32,
  y_pitch: u32,
  y_offset: u32,
  has_bias: u32,
  phases: u32,       // 4 of a transposed convolution, whose outputs lie two apart; else 1
  spacing: u32,      // 2, or 1
  tiles_high: u32,
  tiles_wide: u32,
  first: u32,        // tile of this band
  tiles: u32,        // in this band
  m_row: u32,        // elements of m from one tile to the next
  m_phase: u32,      // ... and from one phase to the next
  earlier: u32,      // pixels of a phase that tiles of odd phases begin earlier: 1 where all phases have the same windows
}

alias Y = f32;   // specialised: elements of y as they are stored

@group(0) @binding(0) var<storage, read> m: array<f32>;         // [phases, 25, tiles, c_out] or [25, tiles, phases, c_out]
@group(0) @binding(1) var<storage, read> bias: array<f32>;      // [c_out]
@group(0) @binding(2) var<storage, read_write> y: array<Y>;     // [N, oh, ow, c_out], pitched
@group(0) @binding(3) var<uniform> p: Params;

// A row of a tile's products, transformed along its columns.
fn row_outputs(index: u32, step: u32) -> array<f32, 4> {
  return output_transform(array<f32, 5>(
    m[index], m[index + step], m[index + 2u * step], m[index + 3u * step], m[index + 4u * step]));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.tiles * p.phases * p.c_out) { return; }
  let channel = i % p.c_out;
  let phase = i / p.c_out % p.phases;
  let band_tile = i / (p.phases * p.c_out);
  let tile = p.first + band_tile;
  let image = tile / (p.tiles_wide * p.tiles_high);
  let lead = 1u - p.earlier * p.spacing;   // of odd phases; wraps to -1, and their first pixels above the image
  let top = tile / p.tiles_wide % p.tiles_high * (TILE * p.spacing) + phase / 2u * lead;
  let left = tile % p.tiles_wide * (TILE * p.spacing) + phase % 2u * lead;
  let m_index = band_tile * p.m_row + phase * p.m_phase + channel;
  var offset = 0.0;
  if (p.has_bias == 1u) { offset = bias[channel]; }

  // Values, not variables, for a compiler that keeps no array in registers.
  let step = p.tiles * p.m_row;
  let rows = array<array<f32, 4>, 5>(
    row_outputs(m_index, step), row_outputs(m_index + 5u * step, step), row_outputs(m_index + 10u * step, step),
    row_outputs(m_index + 15u * step, step), row_outputs(m_index + 20u * step, step));
  for (var c = 0u; c < TILE; c++) { // @unroll
    let column = output_transform(array<f32, 5>(rows[0][c], rows[1][c], rows[2][c], rows[3][c], rows[4][c]));
    for (var r = 0u; r < TILE; r++) { // @unroll
      let at = vec2<u32>(top + r * p.spacing, left + c * p.spacing);
      if ((at.x < p.oh) & (at.y < p.ow)) {
        let pixel = (image * p.oh + at.x) * p.ow + at.y;
        y[pixel * p.y_pitch + p.y_offset + channel] = Y(epilogue(column[r] + offset, image, pixel, channel));
      }
    }
  }
}
