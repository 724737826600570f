// The mask at a level of the network in one pass: pooled as mask_pool.wgsl does, then blurred as gaussian_blur.wgsl does,
// one thread a pixel. It pools again for every tap; the masks are small.
// use lib/index
// use lib/reflect
struct Params {
  h: u32,          // input
  w: u32,
  stride: u32,     // pixels a cell, at least 2
  oh: u32,         // output
  ow: u32,
  radius: u32,     // at most 3 and below oh and ow
  tap_0: f32,      // the centre's, then by distance; they sum to 1 over an axis
  tap_1: f32,
  tap_2: f32,
  tap_3: f32,
  size: u32,       // N * oh * ow
  x_pitch: u32,
  x_offset: u32,
  y_pitch: u32,
  y_offset: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;         // [N, h, w, 1], pitched
@group(0) @binding(1) var<storage, read_write> y: array<f32>;   // [N, oh, ow, 1], pitched
@group(0) @binding(2) var<uniform> p: Params;

fn tap(place: u32) -> f32 {
  let distance = max(place, p.radius) - min(place, p.radius);
  return vec4<f32>(p.tap_0, p.tap_1, p.tap_2, p.tap_3)[distance];
}

// The mean of a cell's top-left 2 x 2 pixels, rounded, halves to even.
fn pooled(n: u32, oh: u32, ow: u32) -> f32 {
  let top = ((n * p.h + oh * p.stride) * p.w + ow * p.stride) * p.x_pitch + p.x_offset;
  let bottom = top + p.w * p.x_pitch;
  return round((x[top] + x[top + p.x_pitch] + x[bottom] + x[bottom + p.x_pitch]) / 4.0);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size) { return; }
  let ow = i % p.ow;
  let oh = (i / p.ow) % p.oh;
  let n = i / (p.ow * p.oh);
  var sum = 0.0;
  for (var r = 0u; r < 2u * p.radius + 1u; r++) {
    let row = reflect_index(oh + r, p.radius, p.oh);
    var line = 0.0;
    for (var s = 0u; s < 2u * p.radius + 1u; s++) {
      line += tap(s) * pooled(n, row, reflect_index(ow + s, p.radius, p.ow));
    }
    sum += tap(r) * line;
  }
  y[i * p.y_pitch + p.y_offset] = sum;
}
