// Repacks a convolution's weight for conv2d_subgroup_planes.wgsl: blocks of columns (output channels), in each the input
// channels with their taps. One thread four columns of a tap; padding is zero.
// use lib/index
struct Params {
  c_in: u32,
  c_out: u32,
  columns: u32,      // of a block, a multiple of 4
  blocks: u32,       // of a phase
  kernel_h: u32,     // of a phase
  kernel_w: u32,
  upsample: u32,     // 2: four phases; else 1
  transposed: u32,   // 1: w is [.., c_out, c_in] and its taps are walked backwards
  size: u32,         // phases * blocks * c_in * kernel_h * kernel_w * columns / 4
}

alias W = f32;       // specialised

@group(0) @binding(0) var<storage, read> w: array<W>;                 // [kernel_h * upsample, kernel_w * upsample, c_in, c_out], or as `transposed` says
@group(0) @binding(1) var<storage, read_write> u: array<vec4<f32>>;   // [phases, blocks, c_in, kernel_h, kernel_w, columns]
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size) { return; }
  let quads = p.columns / 4u;
  let taps = p.kernel_h * p.kernel_w;
  let panel = i / (quads * taps * p.c_in);
  let block = panel % p.blocks;
  let phase = panel / p.blocks;
  let oc = block * p.columns + i % quads * 4u;
  let ic = i / (quads * taps) % p.c_in;
  var tap = i / quads % taps;
  if (p.transposed == 1u) {
    let size = vec2<u32>(p.kernel_w, p.kernel_h) * p.upsample;
    let at = size - 1u - vec2<u32>(phase % p.upsample, phase / p.upsample) - vec2<u32>(tap % p.kernel_w, tap / p.kernel_w) * p.upsample;
    tap = at.y * size.x + at.x;
  }
  let place = tap * p.c_in * p.c_out + select(ic * p.c_out + oc, oc * p.c_in + ic, p.transposed == 1u);
  let step = select(1u, p.c_in, p.transposed == 1u);
  var value = vec4<f32>();
  for (var j = 0u; j < 4u; j++) { // @unroll
    if (oc + j < p.c_out) { value[j] = f32(w[place + j * step]); }
  }
  u[i] = value;
}
