// Moves the average of a parameter towards the parameter, in place; nothing is written where the gate is shut.
// use lib/index
// use lib/lanes
struct Params {
  size: u32,
  c: u32,
  x_pitch: u32,
  x_offset: u32,
  gate_offset: u32,
  decay_offset: u32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;             // [..., c], pitched
@group(0) @binding(1) var<storage, read> gate: array<f32>;        // [2]; the second is whether to step
@group(0) @binding(2) var<storage, read> decay: array<f32>;       // [1]: weight of the past
@group(0) @binding(3) var<storage, read_write> ema: array<T>;     // [size]
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size / LANES || gate[p.gate_offset + 1u] == 0.0) { return; }
  let channels = p.c / LANES;
  let value = x[at(i / channels, p.x_pitch, p.x_offset, i % channels)];
  ema[i] += (1.0 - decay[p.decay_offset]) * (value - ema[i]);
}
