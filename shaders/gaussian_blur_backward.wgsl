// The adjoint of the blur: every input pixel gathers what the outputs near it took of it, of itself and of its mirror
// images beyond the edges.
// use lib/index
struct Params {
  size: u32,     // N * H * W
  h: u32,
  w: u32,
  radius: u32,   // at most 3 and below H and W
  tap_0: f32,    // the centre's, then by distance
  tap_1: f32,
  tap_2: f32,
  tap_3: f32,
  dy_pitch: u32,
  dy_offset: u32,
  dx_pitch: u32,
  dx_offset: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;         // [N, H, W, 1], pitched
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;   // [N, H, W, 1], pitched
@group(0) @binding(2) var<uniform> p: Params;

fn tap(distance: u32) -> f32 {
  let taps = vec4<f32>(p.tap_0, p.tap_1, p.tap_2, p.tap_3);
  return select(0.0, taps[min(distance, 3u)], distance <= p.radius);
}

// How much of pixel `source` of an axis goes into output `output`: pixels at the ends have no mirror image.
fn weight(source: u32, output: u32, size: u32) -> f32 {
  var sum = tap(max(source, output) - min(source, output));
  if (source > 0u) { sum += tap(source + output); }
  if (source < size - 1u) { sum += tap(2u * (size - 1u) - source - output); }
  return sum;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size) { return; }
  let w = i % p.w;
  let h = (i / p.w) % p.h;
  let image = i - h * p.w - w;
  var sum = 0.0;
  for (var r = max(h, p.radius) - p.radius; r <= min(h + p.radius, p.h - 1u); r++) {
    var line = 0.0;
    for (var s = max(w, p.radius) - p.radius; s <= min(w + p.radius, p.w - 1u); s++) {
      line += weight(w, s, p.w) * dy[(image + r * p.w + s) * p.dy_pitch + p.dy_offset];
    }
    sum += weight(h, r, p.h) * line;
  }
  dx[i * p.dx_pitch + p.dx_offset] = sum;
}
