// Adds up the sums that slices of a convolution's K have left, in their order, then adds the bias and applies what is
// fused into it. One thread an output; where its operands lie does not matter to it, so that it also serves channels and
// pitches that are no multiples of 4.
// use lib/index
// use lib/epilogue
struct Params {
  oh: u32,           // output
  ow: u32,
  c_out: u32,
  y_pitch: u32,
  y_offset: u32,
  size: u32,         // N * oh * ow * c_out
  upsample: u32,     // 2: phases of an axis; 1: none
  m: u32,            // pixels of a phase
  n: u32,            // c_out up to a multiple of 4
  slices: u32,
  has_bias: u32,
}

alias Y = f32;       // specialised

@group(0) @binding(0) var<storage, read> partial: array<f32>;   // [phases, slices, m, n]
@group(0) @binding(1) var<storage, read> bias: array<f32>;      // [c_out]
@group(0) @binding(2) var<storage, read_write> y: array<Y>;     // [N, oh, ow, c_out], pitched
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size) { return; }
  let channel = i % p.c_out;
  let pixel = i / p.c_out;
  let ow = pixel % p.ow;
  let row = pixel / p.ow;
  let phase = row % p.oh % p.upsample * p.upsample + ow % p.upsample;
  let m = row / p.upsample * (p.ow / p.upsample) + ow / p.upsample;   // oh is even where there are phases
  var at = (phase * p.slices * p.m + m) * p.n + channel;
  var sum = 0.0;
  for (var slice = 0u; slice < p.slices; slice++) {
    sum += partial[at];
    at += p.m * p.n;
  }
  if (p.has_bias == 1u) { sum += bias[channel]; }
  y[pixel * p.y_pitch + p.y_offset + channel] = Y(epilogue(sum, row / p.oh, pixel, channel));
}
