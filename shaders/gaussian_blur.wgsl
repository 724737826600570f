// Blurs a mask by a separable kernel of 2 RADIUS + 1 taps a side; the mask continues mirrored about its edge pixels.
// use lib/index
// use lib/reflect
override H: u32;
override W: u32;
override RADIUS: u32;     // at most 3 and below H and W
override TAP_0: f32;      // the centre's, then by distance; they sum to 1 over an axis
override TAP_1: f32;
override TAP_2: f32;
override TAP_3: f32;
override SIZE: u32;       // N * H * W
override X_PITCH: u32;
override X_OFFSET: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;         // [N, H, W, 1], pitched
@group(0) @binding(1) var<storage, read_write> y: array<f32>;   // [N, H, W, 1], pitched

fn tap(place: u32) -> f32 {
  let distance = max(place, RADIUS) - min(place, RADIUS);
  return vec4<f32>(TAP_0, TAP_1, TAP_2, TAP_3)[distance];
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE) { return; }
  let w = i % W;
  let h = (i / W) % H;
  let n = i / (W * H);
  var sum = 0.0;
  for (var r = 0u; r < 2u * RADIUS + 1u; r++) {
    let row = (n * H + reflect_index(h + r, RADIUS, H)) * W;
    var line = 0.0;
    for (var s = 0u; s < 2u * RADIUS + 1u; s++) {
      line += tap(s) * x[(row + reflect_index(w + s, RADIUS, W)) * X_PITCH + X_OFFSET];
    }
    sum += tap(r) * line;
  }
  y[i * Y_PITCH + Y_OFFSET] = sum;
}
