// Winograd F(4x4, 3x3) for real GPUs, backwards: the gradients of a tile's 4x4 outputs become those of its 36 products. One
// thread a tile and four channels.
// use lib/index
// use lib/winograd_f4
struct Params {
  oh: u32,
  ow: u32,
  n4: u32,           // output channels / 4
  dy_pitch: u32,
  dy_offset: u32,
  relu_dy: u32,
  tiles_high: u32,
  tiles_wide: u32,
  first: u32,        // tile of this band
  tiles: u32,        // in this band
}

alias D = vec4<f32>;         // specialised

@group(0) @binding(0) var<storage, read> dy: array<D>;                 // [N, oh, ow, n4], pitched
@group(0) @binding(1) var<storage, read_write> dm: array<vec4<f32>>;   // [36, tiles, n4]
@group(0) @binding(2) var<uniform> p: Params;

fn load_dy(image: u32, row: u32, column: u32, channel4: u32) -> V {
  if (row >= p.oh || column >= p.ow) { return V(); }
  let value = V(dy[(((image + row) * p.ow + column) * p.dy_pitch + p.dy_offset) / 4u + channel4]);
  if (p.relu_dy == 1u) { return max(value, V()); }
  return value;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  let size = p.tiles * p.n4;
  if (i >= size) { return; }
  let tile = p.first + i / p.n4;
  let image = tile / (p.tiles_wide * p.tiles_high) * p.oh;
  let top = tile / p.tiles_wide % p.tiles_high * TILE;
  let left = tile % p.tiles_wide * TILE;

  var columns: array<array<V, 6>, 4>;   // transformed along the rows' axis
  for (var c = 0u; c < TILE; c++) { // @unroll
    var values: array<V, 4>;
    for (var r = 0u; r < TILE; r++) { // @unroll
      values[r] = load_dy(image, top + r, left + c, i % p.n4);
    }
    columns[c] = output_adjoint(values);
  }
  for (var r = 0u; r < SIDE; r++) { // @unroll
    let row = output_adjoint(array<V, 4>(columns[0][r], columns[1][r], columns[2][r], columns[3][r]));
    for (var c = 0u; c < SIDE; c++) { // @unroll
      dm[(r * SIDE + c) * size + i] = row[c];
    }
  }
}
