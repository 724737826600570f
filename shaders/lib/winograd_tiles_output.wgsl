// The output of a 3x3 convolution from Winograd's form, for real GPUs: the POINTS products of a tile become its outputs, with
// bias and what else is fused. One thread a tile and four channels.
// use lib/index
// use lib/epilogue
// use lib/tile_order
struct Params {
  oh: u32,
  ow: u32,
  n4: u32,           // output channels / 4
  y_pitch: u32,
  y_offset: u32,
  has_bias: u32,
  tiles_high: u32,
  tiles_wide: u32,
  first: u32,        // tile of this band, in their order
  tiles: u32,        // in this band
}

alias Y = vec4<f32>;         // specialised

@group(0) @binding(0) var<storage, read> m: array<vec4<f32>>;      // [POINTS, tiles, n4]
@group(0) @binding(1) var<storage, read> bias: array<vec4<f32>>;   // [n4]
@group(0) @binding(2) var<storage, read_write> y: array<Y>;        // [N, oh, ow, n4], pitched
@group(0) @binding(3) var<uniform> p: Params;

fn store_y(pixel: u32, channel4: u32, value: vec4<f32>) {
  y[(pixel * p.y_pitch + p.y_offset) / 4u + channel4] = Y(value);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  let size = p.tiles * p.n4;
  if (i >= size) { return; }
  let tile = tile_at(p.first + i / p.n4);
  let image = tile / (p.tiles_wide * p.tiles_high);
  let top = tile / p.tiles_wide % p.tiles_high * TILE;
  let left = tile % p.tiles_wide * TILE;
  let channel4 = i % p.n4;
  let composing = composing_of(image, channel4);
  var offset = vec4<f32>();
  if (p.has_bias == 1u) { offset = bias[channel4]; }

  var columns: array<array<V, TILE>, SIDE>;   // transformed along the rows' axis
  for (var c = 0u; c < SIDE; c++) { // @unroll
    var products: array<V, SIDE>;
    for (var r = 0u; r < SIDE; r++) { // @unroll
      products[r] = m[(r * SIDE + c) * size + i];
    }
    columns[c] = output_transform(products);
  }
  for (var r = 0u; r < TILE; r++) { // @unroll
    var products: array<V, SIDE>;
    for (var c = 0u; c < SIDE; c++) { // @unroll
      products[c] = columns[c][r];
    }
    let row = output_transform(products);
    for (var c = 0u; c < TILE; c++) { // @unroll
      if (top + r < p.oh && left + c < p.ow) {
        let pixel = (image * p.oh + top + r) * p.ow + left + c;
        store_y(pixel, channel4, epilogue_composing(row[c] + offset, composing, pixel, channel4));
      }
    }
  }
}
