// Doubles height and width by bilinear interpolation.
// use lib/bilinear
// use lib/index
// use lib/lanes
override H: u32;          // input
override W: u32;
override C: u32;
override SIZE: u32;       // N * 2 H * 2 W * C
override X_PITCH: u32;
override X_OFFSET: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;

@group(0) @binding(0) var<storage, read> x: array<T>;         // [N, H, W, C], pitched
@group(0) @binding(1) var<storage, read_write> y: array<T>;   // [N, 2 H, 2 W, C], pitched

fn load(n: u32, h: u32, w: u32, c: u32) -> T {
  return x[at((n * H + h) * W + w, X_PITCH, X_OFFSET, c)];
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE / LANES) { return; }
  let c = i % (C / LANES);
  let pixel = i / (C / LANES);
  let n = pixel / (4u * H * W);
  let h = place_of((pixel / (2u * W)) % (2u * H), H);
  let w = place_of(pixel % (2u * W), W);
  let top = (1.0 - w.weight) * load(n, h.first, w.first, c) + w.weight * load(n, h.first, w.second, c);
  let bottom = (1.0 - w.weight) * load(n, h.second, w.first, c) + w.weight * load(n, h.second, w.second, c);
  y[at(pixel, Y_PITCH, Y_OFFSET, c)] = (1.0 - h.weight) * top + h.weight * bottom;
}
