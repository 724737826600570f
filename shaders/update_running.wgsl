// Moves a running statistic towards a batch's, in place; nothing is written where the gate is shut.
// use lib/index
struct Params {
  size: u32,
  x_offset: u32,
  gate_offset: u32,
  scale_offset: u32,
  momentum: f32,   // weight of the batch
}

@group(0) @binding(0) var<storage, read> x: array<f32>;               // [size]
@group(0) @binding(1) var<storage, read> gate: array<f32>;            // [2]; the second is whether to step
@group(0) @binding(2) var<storage, read> scale: array<f32>;           // [size], of the batch's statistic
@group(0) @binding(3) var<storage, read_write> running: array<f32>;   // [size]
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size || gate[p.gate_offset + 1u] == 0.0) { return; }
  running[i] = (1.0 - p.momentum) * running[i] + p.momentum * scale[p.scale_offset + i] * x[p.x_offset + i];
}
