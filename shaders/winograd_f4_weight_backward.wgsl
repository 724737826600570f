// Winograd F(4x4, 3x3) for real GPUs, backwards: the gradients of a filter's 36 factors, added up over the slices of tiles
// in their order, become those of its 3x3 taps. One thread an input channel and four output channels.
// use lib/index
// use lib/winograd_f4
struct Params {
  size: u32,        // c_in * n4
  n4: u32,          // output channels / 4
  slices: u32,
  dw_pitch: u32,
  dw_offset: u32,
}

@group(0) @binding(0) var<storage, read> du: array<V>;         // [36, slices, c_in, n4]
@group(0) @binding(1) var<storage, read_write> dw: array<V>;   // [3, 3, c_in, n4], pitched
@group(0) @binding(2) var<uniform> p: Params;

fn load_du(point: u32, i: u32) -> V {
  var sum = V();
  for (var slice = 0u; slice < p.slices; slice++) {
    sum += du[(point * p.slices + slice) * p.size + i];
  }
  return sum;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size) { return; }
  var columns: array<array<V, 3>, 6>;   // transformed along the rows' axis
  for (var c = 0u; c < SIDE; c++) { // @unroll
    var factors: array<V, 6>;
    for (var r = 0u; r < SIDE; r++) { // @unroll
      factors[r] = load_du(r * SIDE + c, i);
    }
    columns[c] = weight_adjoint(factors);
  }
  for (var r = 0u; r < 3u; r++) { // @unroll
    let row = weight_adjoint(array<V, 6>(columns[0][r], columns[1][r], columns[2][r], columns[3][r], columns[4][r], columns[5][r]));
    for (var c = 0u; c < 3u; c++) { // @unroll
      let tap_row = ((r * 3u + c) * p.size + i) / p.n4;
      dw[(tap_row * p.dw_pitch + p.dw_offset) / 4u + i % p.n4] = row[c];
    }
  }
}
