// Sums over all pixels, a channel a thread; two passes, each adding in a fixed order, so that the sum is the same in
// every run: first each of PARTS slices of the pixels, then the slices.
// use lib/index
override PIXELS: u32;
override C: u32;
override PARTS: u32;
override X_PITCH: u32;
override X_OFFSET: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;         // [PIXELS, C], pitched
@group(0) @binding(1) var<storage, read_write> y: array<f32>;   // [PARTS, C]

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= PARTS * C) { return; }
  let part = i / C;
  let length = (PIXELS + PARTS - 1u) / PARTS;
  var sum = 0.0;
  for (var k = 0u; k < (PIXELS + PARTS - 1u) / PARTS; k++) {
    let pixel = part * length + k;
    if (pixel < PIXELS) { sum += x[pixel * X_PITCH + X_OFFSET + i % C]; }
  }
  y[i] = sum;
}
