// The input of a 3x3 convolution in Winograd's form, for real GPUs: every window of SIDE x SIDE inputs (its tile of outputs
// with a rim) becomes its POINTS factors, the padding with it. One thread a tile and four channels.
// use lib/index
// use lib/gated_input
// use lib/tile_order
struct Params {
  h: u32,
  w: u32,
  c_in: u32,
  x_pitch: u32,
  x_offset: u32,
  relu_input: u32,
  tiles_high: u32,
  tiles_wide: u32,
  first: u32,        // tile of this band, in their order
  tiles: u32,        // in this band
}

@group(0) @binding(0) var<storage, read> x: array<X>;                 // [N, h, w, c_in / 4], pitched
@group(0) @binding(1) var<storage, read_write> v: array<vec4<f32>>;   // [POINTS, tiles, c_in / 4]
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  let size = p.tiles * (p.c_in / 4u);
  if (i >= size) { return; }
  let tile = tile_at(p.first + i / (p.c_in / 4u));
  let image = tile / (p.tiles_wide * p.tiles_high);
  let top = tile / p.tiles_wide % p.tiles_high * TILE - 1u;   // wraps to a huge number above the image
  let left = tile % p.tiles_wide * TILE - 1u;
  let channel = i % (p.c_in / 4u) * 4u;

  var columns: array<array<V, SIDE>, SIDE>;   // transformed along the rows' axis
  for (var c = 0u; c < SIDE; c++) { // @unroll
    var values: array<V, SIDE>;
    for (var r = 0u; r < SIDE; r++) { // @unroll
      values[r] = load_gated(image, top + r, left + c, channel);
    }
    columns[c] = input_transform(values);
  }
  for (var r = 0u; r < SIDE; r++) { // @unroll
    var values: array<V, SIDE>;
    for (var c = 0u; c < SIDE; c++) { // @unroll
      values[c] = columns[c][r];
    }
    let factors = input_transform(values);
    for (var c = 0u; c < SIDE; c++) { // @unroll
      v[(r * SIDE + c) * size + i] = factors[c];
    }
  }
}
