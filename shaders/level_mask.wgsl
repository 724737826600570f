// The mask at a level of the network in one pass: pooled as mask_pool.wgsl does, then blurred as gaussian_blur.wgsl does,
// one thread a pixel. It pools again for every tap; the masks are small.
// use lib/index
// use lib/reflect
override H: u32;          // input
override W: u32;
override STRIDE: u32;     // pixels a cell, at least 2
override OH: u32;         // output
override OW: u32;
override RADIUS: u32;     // at most 3 and below OH and OW
override TAP_0: f32;      // the centre's, then by distance; they sum to 1 over an axis
override TAP_1: f32;
override TAP_2: f32;
override TAP_3: f32;
override SIZE: u32;       // N * OH * OW
override X_PITCH: u32;
override X_OFFSET: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;         // [N, H, W, 1], pitched
@group(0) @binding(1) var<storage, read_write> y: array<f32>;   // [N, OH, OW, 1], pitched

fn tap(place: u32) -> f32 {
  let distance = max(place, RADIUS) - min(place, RADIUS);
  return vec4<f32>(TAP_0, TAP_1, TAP_2, TAP_3)[distance];
}

// The mean of a cell's top-left 2 x 2 pixels, rounded, halves to even.
fn pooled(n: u32, oh: u32, ow: u32) -> f32 {
  let top = ((n * H + oh * STRIDE) * W + ow * STRIDE) * X_PITCH + X_OFFSET;
  let bottom = top + W * X_PITCH;
  return round((x[top] + x[top + X_PITCH] + x[bottom] + x[bottom + X_PITCH]) / 4.0);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE) { return; }
  let ow = i % OW;
  let oh = (i / OW) % OH;
  let n = i / (OW * OH);
  var sum = 0.0;
  for (var r = 0u; r < 2u * RADIUS + 1u; r++) {
    let row = reflect_index(oh + r, RADIUS, OH);
    var line = 0.0;
    for (var s = 0u; s < 2u * RADIUS + 1u; s++) {
      line += tap(s) * pooled(n, row, reflect_index(ow + s, RADIUS, OW));
    }
    sum += tap(r) * line;
  }
  y[i * Y_PITCH + Y_OFFSET] = sum;
}
