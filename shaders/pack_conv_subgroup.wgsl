// Repacks weights for the subgroup kernels: blocks of CHANNELS output channels, so that what a tile reads lies in a row;
// missing channels are zero. A transposed 4x4 convolution of stride 2 is packed as its four parity phases, each a 2x2
// convolution whose tap t of an axis is tap 3 - phase - 2 t of the kernel. One thread an element.
// use lib/index
struct Params {
  phases: u32,      // 4 for a transposed convolution, else 1
  taps: u32,        // a phase
  c_in: u32,
  c_padded: u32,    // c_in up to a multiple of what a step reads
  c_out: u32,
  tap_inside: u32,  // 1: [.., c, tap, channel], 0: [.., tap, c, channel]
  channels: u32,    // a block
  size: u32,
}

@group(0) @binding(0) var<storage, read> w: array<f32>;              // [taps, c_in, c_out]; transposed: [4, 4, c_out, c_in]
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
  let phase = block / blocks;
  var source = (tap * p.c_in + c) * p.c_out + oc;
  if (p.phases == 4u) {
    let kernel_row = 3u - phase / 2u - tap / 2u * 2u;
    let kernel_column = 3u - phase % 2u - tap % 2u * 2u;
    source = ((kernel_row * 4u + kernel_column) * p.c_out + oc) * p.c_in + c;
  }
  let exists = c < p.c_in && oc < p.c_out;
  packed[i] = select(0.0, w[select(0u, source, exists)], exists);
}
