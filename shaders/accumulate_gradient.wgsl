// Adds a micro-batch's gradient to the sum of those before it, in place, or starts the sum anew.
// use lib/index
struct Params {
  size: u32,
  c: u32,
  g_pitch: u32,
  g_offset: u32,
  reset_offset: u32,
}

@group(0) @binding(0) var<storage, read> g: array<f32>;           // [..., c], pitched
@group(0) @binding(1) var<storage, read> reset: array<f32>;       // [1]: not 0 to start anew
@group(0) @binding(2) var<storage, read_write> sum: array<f32>;   // [size]
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size) { return; }
  let value = g[i / p.c * p.g_pitch + p.g_offset + i % p.c];
  // Chosen, not multiplied by zero: what came before may be a NaN.
  sum[i] = select(sum[i] + value, value, reset[p.reset_offset] != 0.0);
}
