// Winograd F(4x4, 2x2): the taps of each part of a 4x4 filter (winograd_pairs_input.wgsl) become their 25 factors, in the
// form that the products read. One thread a part and pair of input and output channel; padding is zero.
// use lib/index
// use lib/winograd_pairs
struct Params {
  c_in: u32,
  c_out: u32,
  columns: u32,      // output channels a block
  terms: u32,        // of a product, padded: 4 c_in, or c_in of a transposed convolution
  transposed: u32,   // 1: w is [4, 4, c_out, c_in], and the four parts have products of their own
  joined: u32,       // 1: ... or one product, whose columns are those of the four parts
  size: u32,         // of one factor: terms * (columns of a product up to a multiple of `columns`)
}

alias W = f32;   // specialised: elements of w as they are stored

@group(0) @binding(0) var<storage, read> w: array<W>;           // [4, 4, c_in, c_out], or as `transposed` says
@group(0) @binding(1) var<storage, read_write> u: array<f32>;   // [1 or 4 parts, 25, ceil(c_out / columns), terms, columns]
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size * select(1u, 4u, p.transposed > p.joined)) { return; }
  let place = i % p.size;
  let column = place / (p.terms * p.columns) * p.columns + place % p.columns;
  let term = place / p.columns % p.terms;
  let part = select(select(term / p.c_in, i / p.size, p.transposed == 1u), column / p.c_out, p.joined == 1u);
  let k = select(column, column % p.c_out, p.joined == 1u);
  let c = select(term % p.c_in, term, p.transposed == 1u);
  let exists = part < 4u && c < p.c_in && k < p.c_out;
  let pair = select(c * p.c_out + k, k * p.c_in + c, p.transposed == 1u);
  let parity = vec2<u32>(part / 2u, part % 2u);

  var columns: array<array<f32, 5>, 2>;   // transformed along the rows' axis
  for (var s = 0u; s < 2u; s++) { // @unroll
    var filter_column: array<f32, 2>;
    for (var r = 0u; r < 2u; r++) { // @unroll
      let tap = select(2u * vec2<u32>(r, s) + parity, 3u - parity - 2u * vec2<u32>(r, s), p.transposed == 1u);
      let index = (tap.x * 4u + tap.y) * (p.c_in * p.c_out) + pair;
      filter_column[r] = select(0.0, f32(w[select(0u, index, exists)]), exists);
    }
    columns[s] = weight_transform(filter_column);
  }
  for (var r = 0u; r < 5u; r++) { // @unroll
    let row = weight_transform(array<f32, 2>(columns[0][r], columns[1][r]));
    for (var s = 0u; s < 5u; s++) { // @unroll
      u[(i / p.size * POINTS + r * 5u + s) * p.size + place] = row[s];
    }
  }
}
