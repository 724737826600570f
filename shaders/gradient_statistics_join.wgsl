// Sum of squares of a gradient and the count of its values that are not finite, second pass: one workgroup adds the parts.
// use lib/workgroup_sum
// use lib/largest_square
struct Params {
  parts: u32,
  y_offset: u32,
}

@group(0) @binding(0) var<storage, read> partial: array<vec2<f32>>;   // [parts]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;         // [2]: sum of squares, count
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
  var addend = vec2<f32>(0.0);
  for (var i = local; i < p.parts; i += 64u) { addend += partial[i]; }
  let sum = workgroup_sum(addend, local);
  if (local > 0u) { return; }
  y[p.y_offset] = sum.x;
  y[p.y_offset + 1u] = count_of(sum);
}
