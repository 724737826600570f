// Doubles height and width by bilinear interpolation. Places are fractions of integers, so that no place is rounded.
// use lib/index
// use lib/lanes
override H: u32;          // input
override W: u32;
override C: u32;
override SIZE: u32;       // N * 2 H * 2 W * C
override ALIGN_CORNERS: bool;
override X_PITCH: u32;
override X_OFFSET: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;

@group(0) @binding(0) var<storage, read> x: array<T>;         // [N, H, W, C], pitched
@group(0) @binding(1) var<storage, read_write> y: array<T>;   // [N, 2 H, 2 W, C], pitched

struct Place { first: u32, second: u32, weight: f32 }   // of the second

// Where output pixel o of an axis with size input pixels reads: o (size - 1) / (2 size - 1) with the corners aligned,
// else (o + 1/2) / 2 - 1/2, but not before pixel 0.
fn place_of(o: u32, size: u32) -> Place {
  var numerator = max(2u * o, 1u) - 1u;
  var denominator = 4u;
  if (ALIGN_CORNERS) {
    numerator = o * (size - 1u);
    denominator = 2u * size - 1u;
  }
  let first = numerator / denominator;
  return Place(first, min(first + 1u, size - 1u), f32(numerator % denominator) / f32(denominator));
}

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
