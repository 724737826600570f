// Gradient of the foreground-normalised squared error by y.
// use lib/index
struct Params {
  size: u32,       // elements of y
  image: u32,      // elements of an image
  c: u32,
  y_pitch: u32,
  y_offset: u32,
  target_pitch: u32,
  target_offset: u32,
  weight_offset: u32,
  dloss_offset: u32,
  dy_pitch: u32,
  dy_offset: u32,
}

@group(0) @binding(0) var<storage, read> y: array<f32>;          // [images, H, W, c], pitched
@group(0) @binding(1) var<storage, read> wanted: array<f32>;     // [images, H, W, c], pitched
@group(0) @binding(2) var<storage, read> weight: array<f32>;     // [images]: of an image's squared error
@group(0) @binding(3) var<storage, read> dloss: array<f32>;      // [1]
@group(0) @binding(4) var<storage, read_write> dy: array<f32>;   // [images, H, W, c], pitched
@group(0) @binding(5) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size) { return; }
  let pixel = i / p.c;
  let c = i % p.c;
  let difference = y[pixel * p.y_pitch + p.y_offset + c] - wanted[pixel * p.target_pitch + p.target_offset + c];
  let factor = 2.0 * dloss[p.dloss_offset] * weight[p.weight_offset + i / p.image];
  dy[pixel * p.dy_pitch + p.dy_offset + c] = factor * difference;
}
