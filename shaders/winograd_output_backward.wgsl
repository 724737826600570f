// Winograd F(4x4, 3x3), backwards: the gradients of a tile's 4x4 outputs become those of its 36 products, in the form
// that matmul_subgroup.wgsl reads its right matrix in, so that tiles are the terms of the sum. One thread a tile and
// channel; padding is zero.
// use lib/index
// use lib/winograd
override RELU_DY: bool;

struct Params {
  oh: u32,
  ow: u32,
  c_out: u32,
  dy_pitch: u32,
  dy_offset: u32,
  columns: u32,        // output channels a block
  tiles_high: u32,
  tiles_wide: u32,
  first: u32,          // tile of this band
  tiles: u32,          // in this band
  tiles_padded: u32,   // up to a multiple of what a step of the product reads
  size: u32,           // tiles_padded * (c_out up to a multiple of columns)
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;         // [N, oh, ow, c_out], pitched
@group(0) @binding(1) var<storage, read_write> dm: array<f32>;   // [36, ceil(c_out / columns), tiles_padded, columns]
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size) { return; }
  let channel = i / (p.tiles_padded * p.columns) * p.columns + i % p.columns;
  let place = i / p.columns % p.tiles_padded;
  let exists = place < p.tiles && channel < p.c_out;
  let tile = p.first + min(place, p.tiles - 1u);
  let image = tile / (p.tiles_wide * p.tiles_high) * p.oh;
  let top = tile / p.tiles_wide % p.tiles_high * TILE;
  let left = tile % p.tiles_wide * TILE;
  let first = p.dy_offset + min(channel, p.c_out - 1u);

  var rows: array<array<f32, 6>, 4>;
  for (var r = 0u; r < TILE; r++) { // @unroll
    var values: array<f32, 4>;
    for (var c = 0u; c < TILE; c++) { // @unroll
      let pixel = (image + min(top + r, p.oh - 1u)) * p.ow + min(left + c, p.ow - 1u);
      let value = select(0.0, dy[pixel * p.dy_pitch + first], exists && top + r < p.oh && left + c < p.ow);
      if (RELU_DY) { values[c] = max(value, 0.0); } else { values[c] = value; }
    }
    rows[r] = output_adjoint(values);
  }
  for (var c = 0u; c < 6u; c++) { // @unroll
    let column = output_adjoint(array<f32, 4>(rows[0][c], rows[1][c], rows[2][c], rows[3][c]));
    for (var r = 0u; r < 6u; r++) { // @unroll
      dm[(r * 6u + c) * p.size + i] = column[r];
    }
  }
}
