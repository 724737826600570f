// Sum over all elements of a loss, second pass: one workgroup adds the parts and divides.
// use lib/workgroup_sum
struct Params {
  parts: u32,
  size: f32,       // what the mean is over
  loss_offset: u32,
}

@group(0) @binding(0) var<storage, read> partial: array<vec2<f32>>;   // [parts]
@group(0) @binding(1) var<storage, read_write> loss: array<f32>;      // [1]
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
  var addend = vec2<f32>(0.0);
  for (var i = local; i < p.parts; i += 64u) { addend += partial[i]; }
  let sum = workgroup_sum(addend, local);
  if (local == 0u) { loss[p.loss_offset] = sum.x / p.size; }
}
