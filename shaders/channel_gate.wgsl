// Scales each channel of each image by its gate.
// use lib/index
// use lib/lanes
override C: u32;
override HW: u32;         // pixels of an image
override SIZE: u32;       // N * HW * C
override X_PITCH: u32;
override X_OFFSET: u32;
override G_PITCH: u32;
override G_OFFSET: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;

alias X = f32;            // specialised: one element or four as they are stored; arithmetic is T's
alias Y = f32;            // specialised

@group(0) @binding(0) var<storage, read> x: array<X>;         // [N, H, W, C], pitched
@group(0) @binding(1) var<storage, read> g: array<T>;         // [N, C], pitched
@group(0) @binding(2) var<storage, read_write> y: array<Y>;   // [N, H, W, C], pitched

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE / LANES) { return; }
  let c = i % (C / LANES);
  let pixel = i / (C / LANES);
  y[at(pixel, Y_PITCH, Y_OFFSET, c)] = Y(T(x[at(pixel, X_PITCH, X_OFFSET, c)]) * g[at(pixel / HW, G_PITCH, G_OFFSET, c)]);
}
