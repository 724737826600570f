// One step of Adam, or of AdamW, on one tensor in place; nothing is written where the gate is shut. Shapes come as
// parameters: one pipeline serves every parameter of a network.
// use lib/index
// use lib/lanes
override DECOUPLED: bool;   // AdamW: the weights decay by themselves, not through the gradient

struct Params {
  size: u32,
  c: u32,
  g_pitch: u32,
  g_offset: u32,
  hyper_offset: u32,
  gate_offset: u32,
}

@group(0) @binding(0) var<storage, read> g: array<T>;                 // [..., c], pitched
@group(0) @binding(1) var<storage, read> hyper: array<f32>;           // [8]
@group(0) @binding(2) var<storage, read> gate: array<f32>;            // [2]: scale of the gradient, whether to step
@group(0) @binding(3) var<storage, read_write> param: array<T>;       // [size]
@group(0) @binding(4) var<storage, read_write> mean: array<T>;        // [size], of the gradient
@group(0) @binding(5) var<storage, read_write> square: array<T>;      // [size], mean of the gradient's square
@group(0) @binding(6) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size / LANES || gate[p.gate_offset + 1u] == 0.0) { return; }
  let lr = hyper[p.hyper_offset];
  let beta1 = hyper[p.hyper_offset + 1u];
  let beta2 = hyper[p.hyper_offset + 2u];
  let eps = hyper[p.hyper_offset + 3u];
  let weight_decay = hyper[p.hyper_offset + 4u];
  let correction1 = hyper[p.hyper_offset + 5u];   // 1 - beta1^t
  let correction2 = hyper[p.hyper_offset + 6u];   // 1 - beta2^t
  let channels = p.c / LANES;
  var value = param[i];
  var gradient = gate[p.gate_offset] * g[at(i / channels, p.g_pitch, p.g_offset, i % channels)];
  if (DECOUPLED) {
    value *= 1.0 - lr * weight_decay;
  } else {
    gradient += weight_decay * value;
  }
  let m = mean[i] + (1.0 - beta1) * (gradient - mean[i]);
  let v = beta2 * square[i] + (1.0 - beta2) * gradient * gradient;
  mean[i] = m;
  square[i] = v;
  param[i] = value - lr / correction1 * m / (sqrt(v) / sqrt(correction2) + eps);
}
