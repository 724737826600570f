// Squared error and foreground of each image, first pass: `parts` threads an image take every parts-th pixel each.
// use lib/index
struct Params {
  images: u32,
  pixels: u32,     // an image
  c: u32,
  y_pitch: u32,
  y_offset: u32,
  target_pitch: u32,
  target_offset: u32,
  mask_pitch: u32,
  mask_offset: u32,
  parts: u32,      // an image
}

@group(0) @binding(0) var<storage, read> y: array<f32>;                     // [images, H, W, c], pitched
@group(0) @binding(1) var<storage, read> wanted: array<f32>;                // [images, H, W, c], pitched
@group(0) @binding(2) var<storage, read> mask: array<f32>;                  // [images, H, W, 1], pitched
@group(0) @binding(3) var<storage, read_write> partial: array<vec2<f32>>;   // [images, parts]: squared error, foreground
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.images * p.parts) { return; }
  let first = i / p.parts * p.pixels;
  var error = 0.0;
  var area = 0.0;
  for (var at = i % p.parts; at < p.pixels; at += p.parts) {
    let pixel = first + at;
    area += mask[pixel * p.mask_pitch + p.mask_offset];
    for (var c = 0u; c < p.c; c++) {
      let difference = y[pixel * p.y_pitch + p.y_offset + c] - wanted[pixel * p.target_pitch + p.target_offset + c];
      error += difference * difference;
    }
  }
  partial[i] = vec2<f32>(error, area);
}
