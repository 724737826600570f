// Repacks a convolution's weight into the right matrix of conv2d_implicit_gemm.wgsl: channels padded to multiples of 4 with
// zeros, a transposed convolution's turned, or cut into the four phases of an up-sampling by two. One thread an element.
// use lib/index
struct Params {
  c_in: u32,
  c_out: u32,
  k_in: u32,         // c_in up to a multiple of 4
  n_out: u32,        // c_out up to a multiple of 4
  taps: u32,         // of a phase
  transposed: u32,   // 1: w is [R, S, c_out, c_in], its taps in reverse; 2: in four phases of 2x2
  size: u32,         // phases * taps * k_in * n_out
}

alias W = f32;       // specialised
alias U = f32;       // specialised

@group(0) @binding(0) var<storage, read> w: array<W>;         // [R, S, c_in, c_out], or as `transposed` says
@group(0) @binding(1) var<storage, read_write> u: array<U>;   // [phases, taps, k_in, n_out]
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size) { return; }
  let oc = i % p.n_out;
  let ic = i / p.n_out % p.k_in;
  var tap = i / (p.n_out * p.k_in) % p.taps;
  if (p.transposed == 1u) { tap = p.taps - 1u - tap; }
  if (p.transposed == 2u) {
    // Phase q of an axis meets kernel rows 3 - q and 1 - q, from input rows h + q - 1 and h + q.
    let phase = i / (p.n_out * p.k_in * 4u);
    tap = (3u - phase / 2u - 2u * (tap / 2u)) * 4u + 3u - phase % 2u - 2u * (tap % 2u);
  }
  var place = (tap * p.c_in + ic) * p.c_out + oc;
  if (p.transposed != 0u) { place = (tap * p.c_out + oc) * p.c_in + ic; }
  var value = W();
  if (ic < p.c_in && oc < p.c_out) { value = w[place]; }
  u[i] = U(value);
}
