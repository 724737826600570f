// Gradient of S2AM's three gates, first pass: those before the sigmoids, dz = dg g (1 - g), and before the ReLUs of the
// hidden units, dh = (W2 dz) where the unit is positive. One thread a value.
// use lib/index
// use lib/packed_gates
struct Params {
  n: u32,
  c: u32,
  hidden: u32,   // units of a gate
  d_foreground_pitch: u32,
  d_foreground_offset: u32,
  d_composing_pitch: u32,
  d_composing_offset: u32,
  foreground_pitch: u32,
  foreground_offset: u32,
  composing_pitch: u32,
  composing_offset: u32,
  units_pitch: u32,
  units_offset: u32,
}

@group(0) @binding(0) var<storage, read> d_foreground: array<f32>;   // [N, c], pitched
@group(0) @binding(1) var<storage, read> d_composing: array<f32>;    // [N, 2 c], pitched
@group(0) @binding(2) var<storage, read> foreground: array<f32>;     // [N, c], pitched
@group(0) @binding(3) var<storage, read> composing: array<f32>;      // [N, 2 c], pitched
@group(0) @binding(4) var<storage, read> units: array<f32>;          // [N, 3 hidden], pitched
@group(0) @binding(5) var<storage, read> weights: array<f32>;        // packed
@group(0) @binding(6) var<storage, read_write> d: array<f32>;        // [N, 3 c + 3 hidden]: dz, dh
@group(0) @binding(7) var<uniform> p: Params;

fn before_sigmoid(n: u32, gate: u32, c: u32) -> f32 {
  if (gate == 0u) {
    let g = foreground[n * p.foreground_pitch + p.foreground_offset + c];
    return d_foreground[n * p.d_foreground_pitch + p.d_foreground_offset + c] * g * (1.0 - g);
  }
  let place = (gate - 1u) * p.c + c;
  let g = composing[n * p.composing_pitch + p.composing_offset + place];
  return d_composing[n * p.d_composing_pitch + p.d_composing_offset + place] * g * (1.0 - g);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  let width = 3u * (p.c + p.hidden);
  if (i >= p.n * width) { return; }
  let n = i / width;
  let place = i % width;
  if (place < 3u * p.c) {
    d[i] = before_sigmoid(n, place / p.c, place % p.c);
    return;
  }
  let unit = place - 3u * p.c;
  let gate = unit / p.hidden;
  let at = packed_gate(gate, p.c, p.hidden);
  var sum = 0.0;
  if (units[n * p.units_pitch + p.units_offset + unit] > 0.0) {
    for (var c = 0u; c < p.c; c++) { sum += before_sigmoid(n, gate, c) * weights[at.w2 + unit % p.hidden * p.c + c]; }
  }
  d[i] = sum;
}
