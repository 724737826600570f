// Equation (2) of S2AM: a where the mask is 1, b where it is 0.
// use lib/index
// use lib/lanes
override C: u32;
override SIZE: u32;       // N * H * W * C
override A_PITCH: u32;
override A_OFFSET: u32;
override B_PITCH: u32;
override B_OFFSET: u32;
override M_PITCH: u32;
override M_OFFSET: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;

@group(0) @binding(0) var<storage, read> a: array<T>;         // [N, H, W, C], pitched
@group(0) @binding(1) var<storage, read> b: array<T>;         // [N, H, W, C], pitched
@group(0) @binding(2) var<storage, read> m: array<f32>;       // [N, H, W, 1], pitched
@group(0) @binding(3) var<storage, read_write> y: array<T>;   // [N, H, W, C], pitched

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE / LANES) { return; }
  let c = i % (C / LANES);
  let pixel = i / (C / LANES);
  let inside = m[pixel * M_PITCH + M_OFFSET];
  y[at(pixel, Y_PITCH, Y_OFFSET, c)] = inside * a[at(pixel, A_PITCH, A_OFFSET, c)] + (1.0 - inside) * b[at(pixel, B_PITCH, B_OFFSET, c)];
}
