// Whether an optimizer may step, and how far its gradients are cut: one workgroup adds the tensors' statistics in order.
// use lib/workgroup_sum
struct Params {
  tensors: u32,
  statistics_offset: u32,
  hyper_offset: u32,
  y_offset: u32,
}

@group(0) @binding(0) var<storage, read> statistics: array<f32>;   // [2 tensors]: sum of squares, count of non-finite values
@group(0) @binding(1) var<storage, read> hyper: array<f32>;        // [8], as Adam reads it; the last is the norm to cut to
@group(0) @binding(2) var<storage, read_write> y: array<f32>;      // [2]: scale of the gradients, 1 to step or 0
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
  var addend = vec2<f32>(0.0);
  for (var i = local; i < p.tensors; i += 64u) {
    let at = p.statistics_offset + 2u * i;
    addend += vec2<f32>(statistics[at], statistics[at + 1u]);
  }
  let sum = workgroup_sum(addend, local);
  if (local > 0u) { return; }
  let clip_norm = hyper[p.hyper_offset + 7u];
  var scale = 1.0;
  if (clip_norm > 0.0) { scale = min(1.0, clip_norm / (sqrt(sum.x) + 1e-6)); }
  let finite = sum.y == 0.0;
  y[p.y_offset] = select(0.0, scale, finite);
  y[p.y_offset + 1u] = select(0.0, 1.0, finite);
}
