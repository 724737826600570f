// Sum over all elements of a loss of two tensors, first pass: `parts` threads take every parts-th element each.
// use lib/element_loss
// use lib/index
struct Params {
  size: u32,       // elements of y
  c: u32,
  y_pitch: u32,
  y_offset: u32,
  target_pitch: u32,
  target_offset: u32,
  label: f32,      // stands for the target where there is none
  parts: u32,
}

@group(0) @binding(0) var<storage, read> y: array<f32>;                     // [..., c], pitched
@group(0) @binding(1) var<storage, read> wanted: array<f32>;                // [..., c], pitched
@group(0) @binding(2) var<storage, read_write> partial: array<vec2<f32>>;   // [parts]; the second is not used
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let part = index_1d(group, groups, local);
  if (part >= p.parts) { return; }
  var sum = 0.0;
  for (var i = part; i < p.size; i += p.parts) {
    let pixel = i / p.c;
    let c = i % p.c;
    var goal = p.label;
    if (HAS_TARGET) { goal = wanted[pixel * p.target_pitch + p.target_offset + c]; }
    sum += loss_of(y[pixel * p.y_pitch + p.y_offset + c], goal);
  }
  partial[part] = vec2<f32>(sum, 0.0);
}
