// Repacks convolution weights into blocks of output channels, so that the weights of one input channel and one tile
// lie together; missing channels are zero. One thread an element.
// use lib/index
override C_IN: u32;
override C_OUT: u32;
override TAPS: u32;       // R * S
override CHANNELS: u32;   // output channels a block
override SIZE: u32;       // blocks * C_IN * TAPS * CHANNELS

@group(0) @binding(0) var<storage, read> w: array<f32>;              // [TAPS, C_IN, C_OUT]
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;   // [ceil(C_OUT / CHANNELS), C_IN, TAPS, CHANNELS]

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE) { return; }
  let tap = i / CHANNELS % TAPS;
  let c = i / (CHANNELS * TAPS) % C_IN;
  let oc = i / (CHANNELS * TAPS * C_IN) * CHANNELS + i % CHANNELS;
  packed[i] = select(0.0, w[(tap * C_IN + c) * C_OUT + min(oc, C_OUT - 1u)], oc < C_OUT);
}
