// Sum of squares of a gradient and the count of its values that are not finite, first pass: `parts` threads take every
// parts-th vector each. The shape comes as parameters: one pipeline serves every parameter of a network.
// use lib/finite
// use lib/index
// use lib/lanes
struct Params {
  size: u32,       // elements of g
  c: u32,
  g_pitch: u32,
  g_offset: u32,
  parts: u32,
}

@group(0) @binding(0) var<storage, read> g: array<T>;                       // [..., c], pitched
@group(0) @binding(1) var<storage, read_write> partial: array<vec2<f32>>;   // [parts]: sum of squares, count
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let part = index_1d(group, groups, local);
  if (part >= p.parts) { return; }
  let channels = p.c / LANES;
  var squares = vec4<f32>(0.0);
  var count = vec4<f32>(0.0);
  for (var i = part; i < p.size / LANES; i += p.parts) {
    let value = vec4<f32>(g[at(i / channels, p.g_pitch, p.g_offset, i % channels)]);
    let finite = are_finite(value);
    let kept = select(vec4<f32>(0.0), value, finite);
    squares += kept * kept;
    count += select(vec4<f32>(1.0), vec4<f32>(0.0), finite);
  }
  partial[part] = vec2<f32>(add_four(squares), add_four(count));
}
