// The 3x3 filters of a convolution in Winograd's form, for real GPUs. One thread an input channel and four output channels.
// use lib/index
struct Params {
  c_in: u32,
  c_out: u32,
  flipped: u32,    // 1: the filter of a transposed convolution, [3, 3, c_out, c_in] and turned by half a circle
  size: u32,       // c_in * c_out / 4
}

alias W = f32;     // specialised

@group(0) @binding(0) var<storage, read> w: array<W>;                 // [3, 3, c_in, c_out], or as `flipped` says
@group(0) @binding(1) var<storage, read_write> u: array<vec4<f32>>;   // [POINTS, c_in, c_out / 4]
@group(0) @binding(2) var<uniform> p: Params;

fn load_w(tap: u32, ic: u32, oc: u32) -> V {
  if (p.flipped == 1u) {
    let at = ((8u - tap) * p.c_out + oc) * p.c_in + ic;
    return V(f32(w[at]), f32(w[at + p.c_in]), f32(w[at + 2u * p.c_in]), f32(w[at + 3u * p.c_in]));
  }
  let at = (tap * p.c_in + ic) * p.c_out + oc;
  return V(f32(w[at]), f32(w[at + 1u]), f32(w[at + 2u]), f32(w[at + 3u]));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size) { return; }
  // Neighbours run along the channel that lies contiguously.
  var ic = i / (p.c_out / 4u);
  var oc = i % (p.c_out / 4u) * 4u;
  if (p.flipped == 1u) {
    ic = i % p.c_in;
    oc = i / p.c_in * 4u;
  }
  var columns: array<array<V, SIDE>, 3>;   // transformed along the rows' axis
  for (var s = 0u; s < 3u; s++) { // @unroll
    columns[s] = weight_transform(array<V, 3>(load_w(s, ic, oc), load_w(3u + s, ic, oc), load_w(6u + s, ic, oc)));
  }
  for (var r = 0u; r < SIDE; r++) { // @unroll
    let row = weight_transform(array<V, 3>(columns[0][r], columns[1][r], columns[2][r]));
    for (var s = 0u; s < SIDE; s++) { // @unroll
      u[((r * SIDE + s) * p.c_in + ic) * (p.c_out / 4u) + oc / 4u] = row[s];
    }
  }
}
