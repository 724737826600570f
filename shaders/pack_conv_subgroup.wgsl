// Repacks weights for the subgroup kernels: blocks of CHANNELS output channels, so that what a tile reads lies in a row;
// missing channels are zero. A transposed convolution of stride 1 becomes the convolution with its taps reversed. A
// transposed 4x4 one of stride 2 becomes its four parity phases, each a 2x2 convolution whose tap t of an axis is tap
// 3 - phase - 2 t of the kernel. One thread an element.
// use lib/index
struct Params {
  transposed: u32,  // 1: w is [taps, c_out, c_in], and taps are reversed
  phases: u32,      // 4 for stride 2, else 1
  taps: u32,        // a phase
  c_in: u32,
  c_padded: u32,    // c_in up to a multiple of what a step reads
  c_out: u32,
  tap_inside: u32,  // 1: [.., c, tap, channel], 0: [.., tap, c, channel]
  channels: u32,    // a block
  size: u32,
}

@group(0) @binding(0) var<storage, read> w: array<f32>;              // [taps, c_in, c_out], or as `transposed` says
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;   // [phases, ceil(c_out / channels), taps, c_padded, channels]
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size) { return; }
  let blocks = (p.c_out + p.channels - 1u) / p.channels;
  let row = i / p.channels;
  let tap = select(row / p.c_padded, row, p.tap_inside == 1u) % p.taps;
  let c = select(row, row / p.taps, p.tap_inside == 1u) % p.c_padded;
  let block = row / (p.c_padded * p.taps);
  let oc = block % blocks * p.channels + i % p.channels;
  var source = (tap * p.c_in + c) * p.c_out + oc;
  if (p.transposed == 1u) {
    let phase = block / blocks;
    let phase_tap = (3u - phase / 2u - tap / 2u * 2u) * 4u + 3u - phase % 2u - tap % 2u * 2u;
    source = (select(p.taps - 1u - tap, phase_tap, p.phases == 4u) * p.c_out + oc) * p.c_in + c;
  }
  let exists = c < p.c_in && oc < p.c_out;
  packed[i] = select(0.0, w[select(0u, source, exists)], exists);
}
