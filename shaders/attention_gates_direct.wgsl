// The output layer of S2AM's three gates, sigmoid(W2 units + b2), one thread a gate's channel. Clear, not fast.
// use lib/index
// use lib/packed_gates
// use lib/activation
struct Params {
  n: u32,
  c: u32,
  hidden: u32,   // units of a gate
  units_pitch: u32,
  units_offset: u32,
  foreground_pitch: u32,
  foreground_offset: u32,
  composing_pitch: u32,
  composing_offset: u32,
}

@group(0) @binding(0) var<storage, read> units: array<f32>;              // [N, 3 hidden], pitched
@group(0) @binding(1) var<storage, read> weights: array<f32>;            // packed
@group(0) @binding(2) var<storage, read_write> foreground: array<f32>;   // [N, c], pitched
@group(0) @binding(3) var<storage, read_write> composing: array<f32>;    // [N, 2 c], pitched: mix, background
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.n * 3u * p.c) { return; }
  let n = i / (3u * p.c);
  let gate = i / p.c % 3u;
  let c = i % p.c;
  let at = packed_gate(gate, p.c, p.hidden);
  var sum = weights[at.b2 + c];
  for (var unit = 0u; unit < p.hidden; unit++) {
    sum += units[n * p.units_pitch + p.units_offset + gate * p.hidden + unit] * weights[at.w2 + unit * p.c + c];
  }
  if (gate == 0u) {
    foreground[n * p.foreground_pitch + p.foreground_offset + c] = sigmoid(sum);
  } else {
    composing[n * p.composing_pitch + p.composing_offset + (gate - 1u) * p.c + c] = sigmoid(sum);
  }
}
