// Sum of squares and count of the values that are not finite, of each of the parts of a packed gradient: a workgroup a part,
// whose threads take every 64th element each.
// use lib/finite
// use lib/workgroup_sum
// use lib/largest_square
struct Params {
  c: u32,
  g_pitch: u32,
  g_offset: u32,
  y_offset: u32,
}

@group(0) @binding(0) var<storage, read> g: array<f32>;             // [..., c], pitched
@group(0) @binding(1) var<storage, read> parts: array<vec2<f32>>;   // [P]: start, length; whole numbers below 2^24
@group(0) @binding(2) var<storage, read_write> y: array<f32>;       // [2 P]: sum of squares, count
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let start = u32(parts[group.x].x);
  let end = start + u32(parts[group.x].y);
  var addend = vec2<f32>(0.0);
  for (var i = start + local; i < end; i += 64u) {
    let value = g[i / p.c * p.g_pitch + p.g_offset + i % p.c];
    if (is_finite(value)) {
      addend.x += value * value;
    } else {
      addend.y += 1.0;
    }
  }
  let sum = workgroup_sum(addend, local);
  if (local > 0u) { return; }
  y[p.y_offset + 2u * group.x] = sum.x;
  y[p.y_offset + 2u * group.x + 1u] = count_of(sum);
}
