// Winograd F(4x4, 3x3): every 3x3 filter becomes its 36 factors, in the form that matmul_subgroup.wgsl reads. One thread
// a pair of input and output channel; padding is zero.
// use lib/index
// use lib/winograd
struct Params {
  c_in: u32,
  c_padded: u32,   // c_in up to a multiple of what a step of the product reads
  c_out: u32,
  columns: u32,    // output channels a block
  flipped: u32,    // 1: the filter of a transposed convolution, [3, 3, c_out, c_in] and turned by half a circle
  size: u32,       // c_padded * (c_out up to a multiple of columns)
}

alias W = f32;   // specialised: elements of w as they are stored

@group(0) @binding(0) var<storage, read> w: array<W>;           // [3, 3, c_in, c_out], or as `flipped` says
@group(0) @binding(1) var<storage, read_write> u: array<f32>;   // [36, ceil(c_out / columns), c_padded, columns]
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size) { return; }
  let k = i / (p.c_padded * p.columns) * p.columns + i % p.columns;
  let c = i / p.columns % p.c_padded;
  let exists = c < p.c_in && k < p.c_out;
  let place = select(c * p.c_out + k, k * p.c_in + c, p.flipped == 1u);

  var columns: array<array<f32, 6>, 3>;   // transformed along the rows' axis
  for (var s = 0u; s < 3u; s++) { // @unroll
    var filter_column: array<f32, 3>;
    for (var r = 0u; r < 3u; r++) { // @unroll
      let tap = select(r * 3u + s, 8u - r * 3u - s, p.flipped == 1u);
      filter_column[r] = select(0.0, f32(w[select(0u, tap * p.c_in * p.c_out + place, exists)]), exists);
    }
    columns[s] = weight_transform(filter_column);
  }
  for (var r = 0u; r < 6u; r++) { // @unroll
    let row = weight_transform(array<f32, 3>(columns[0][r], columns[1][r], columns[2][r]));
    for (var s = 0u; s < 6u; s++) { // @unroll
      u[(r * 6u + s) * p.size + i] = row[s];
    }
  }
}
