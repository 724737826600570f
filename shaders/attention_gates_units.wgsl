// The hidden layer of S2AM's three gates, relu(W1 [average, maximum] + b1), one thread a unit. Clear, not fast.
// use lib/index
// use lib/packed_gates
struct Params {
  n: u32,
  c: u32,
  hidden: u32,   // units of a gate
  pooled_pitch: u32,
  pooled_offset: u32,
  units_pitch: u32,
  units_offset: u32,
}

@group(0) @binding(0) var<storage, read> pooled: array<f32>;        // [N, 2 c], pitched: averages, maxima
@group(0) @binding(1) var<storage, read> weights: array<f32>;       // packed
@group(0) @binding(2) var<storage, read_write> units: array<f32>;   // [N, 3 hidden], pitched
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.n * 3u * p.hidden) { return; }
  let n = i / (3u * p.hidden);
  let unit = i % p.hidden;
  let at = packed_gate(i / p.hidden % 3u, p.c, p.hidden);
  var sum = weights[at.b1 + unit];
  for (var k = 0u; k < 2u * p.c; k++) {
    sum += pooled[n * p.pooled_pitch + p.pooled_offset + k] * weights[at.w1 + k * p.hidden + unit];
  }
  units[n * p.units_pitch + p.units_offset + i % (3u * p.hidden)] = max(sum, 0.0);
}
