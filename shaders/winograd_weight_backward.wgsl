// Winograd F(4x4, 3x3), backwards: the gradients of a filter's 36 factors become those of its 3x3 taps. One thread a pair
// of input and output channel.
// use lib/index
// use lib/winograd
struct Params {
  size: u32,        // c_in * c_out
  c_out: u32,
  du_row: u32,      // elements of du from one input channel to the next
  dw_pitch: u32,
  dw_offset: u32,
}

@group(0) @binding(0) var<storage, read> du: array<f32>;         // [36, c_in, c_out], input channels du_row apart
@group(0) @binding(1) var<storage, read_write> dw: array<f32>;   // [3, 3, c_in, c_out], pitched
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size) { return; }
  let du_index = i / p.c_out * p.du_row + i % p.c_out;
  let du_size = p.size / p.c_out * p.du_row;
  var rows: array<array<f32, 3>, 6>;
  for (var r = 0u; r < 6u; r++) { // @unroll
    var factors: array<f32, 6>;
    for (var c = 0u; c < 6u; c++) { // @unroll
      factors[c] = du[(r * 6u + c) * du_size + du_index];
    }
    rows[r] = weight_adjoint(factors);
  }
  for (var c = 0u; c < 3u; c++) { // @unroll
    let column = weight_adjoint(array<f32, 6>(rows[0][c], rows[1][c], rows[2][c], rows[3][c], rows[4][c], rows[5][c]));
    for (var r = 0u; r < 3u; r++) { // @unroll
      let row = ((r * 3u + c) * p.size + i) / p.c_out;
      dw[row * p.dw_pitch + p.dw_offset + i % p.c_out] = column[r];
    }
  }
}
