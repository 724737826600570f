// Gradient of S2AM's three gates, second pass, from what attention_gates_backward_units.wgsl left: of the packed parameters,
// sums over the images, and of the pooled values. One thread a value.
// use lib/index
// use lib/packed_gates
struct Params {
  n: u32,
  c: u32,
  hidden: u32,   // units of a gate
  units_pitch: u32,
  units_offset: u32,
  pooled_pitch: u32,
  pooled_offset: u32,
  d_weights_pitch: u32,
  d_weights_offset: u32,
  d_pooled_pitch: u32,
  d_pooled_offset: u32,
}

@group(0) @binding(0) var<storage, read> d: array<f32>;                 // [N, 3 c + 3 hidden]: dz, dh
@group(0) @binding(1) var<storage, read> units: array<f32>;             // [N, 3 hidden], pitched
@group(0) @binding(2) var<storage, read> pooled: array<f32>;            // [N, 2 c], pitched
@group(0) @binding(3) var<storage, read> weights: array<f32>;           // packed
@group(0) @binding(4) var<storage, read_write> d_weights: array<f32>;   // packed, pitched
@group(0) @binding(5) var<storage, read_write> d_pooled: array<f32>;    // [N, 2 c], pitched
@group(0) @binding(6) var<uniform> p: Params;

fn dz(n: u32, gate: u32, c: u32) -> f32 { return d[n * 3u * (p.c + p.hidden) + gate * p.c + c]; }
fn dh(n: u32, gate: u32, unit: u32) -> f32 { return d[n * 3u * (p.c + p.hidden) + 3u * p.c + gate * p.hidden + unit]; }

// The gradient of a parameter, by its place among its gate's.
fn parameter_gradient(gate: u32, place: u32) -> f32 {
  let parts = packed_gate(0u, p.c, p.hidden);
  var sum = 0.0;
  for (var n = 0u; n < p.n; n++) {
    if (place < parts.b1) {
      sum += pooled[n * p.pooled_pitch + p.pooled_offset + place / p.hidden] * dh(n, gate, place % p.hidden);
    } else if (place < parts.w2) {
      sum += dh(n, gate, place - parts.b1);
    } else if (place < parts.b2) {
      let unit = gate * p.hidden + (place - parts.w2) / p.c;
      sum += units[n * p.units_pitch + p.units_offset + unit] * dz(n, gate, (place - parts.w2) % p.c);
    } else {
      sum += dz(n, gate, place - parts.b2);
    }
  }
  return sum;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  let length = 3u * p.c * p.hidden + p.hidden + p.c;   // parameters of a gate
  if (i < 3u * length) {
    d_weights[i / length * p.d_weights_pitch + p.d_weights_offset + i % length] = parameter_gradient(i / length, i % length);
    return;
  }
  let k = i - 3u * length;
  if (k >= p.n * 2u * p.c) { return; }
  let n = k / (2u * p.c);
  let input = k % (2u * p.c);
  var sum = 0.0;
  for (var gate = 0u; gate < 3u; gate++) {
    let at = packed_gate(gate, p.c, p.hidden);
    for (var unit = 0u; unit < p.hidden; unit++) { sum += weights[at.w1 + input * p.hidden + unit] * dh(n, gate, unit); }
  }
  d_pooled[n * p.d_pooled_pitch + p.d_pooled_offset + input] = sum;
}
