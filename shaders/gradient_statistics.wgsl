// Sum of squares of a gradient and the count of its values that are not finite, first pass: `parts` threads take every
// parts-th element each. The shape comes as parameters: one pipeline serves every parameter of a network.
// use lib/finite
// use lib/index
struct Params {
  size: u32,       // elements of g
  c: u32,
  g_pitch: u32,
  g_offset: u32,
  parts: u32,
}

@group(0) @binding(0) var<storage, read> g: array<f32>;                     // [..., c], pitched
@group(0) @binding(1) var<storage, read_write> partial: array<vec2<f32>>;   // [parts]: sum of squares, count
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let part = index_1d(group, groups, local);
  if (part >= p.parts) { return; }
  var sum = 0.0;
  var count = 0.0;
  for (var i = part; i < p.size; i += p.parts) {
    let value = g[i / p.c * p.g_pitch + p.g_offset + i % p.c];
    if (is_finite(value)) {
      sum += value * value;
    } else {
      count += 1.0;
    }
  }
  partial[part] = vec2<f32>(sum, count);
}
