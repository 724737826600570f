// Equation (1) of S2AM in one pass: y = m (l + x g_mix) + (1 - m) x g_bg.
// use lib/index
// use lib/activation_lanes
// use lib/lanes
override C: u32;
override HW: u32;         // pixels of an image
override SIZE: u32;       // N * HW * C
override L_PITCH: u32;
override L_OFFSET: u32;
override X_PITCH: u32;
override X_OFFSET: u32;
override GATES_PITCH: u32;
override GATES_OFFSET: u32;
override M_PITCH: u32;
override M_OFFSET: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;

alias L = f32;            // specialised: one element or four as they are stored; arithmetic is T's
alias X = f32;            // specialised
alias Y = f32;            // specialised

@group(0) @binding(0) var<storage, read> l: array<L>;         // [N, H, W, C], pitched: what the learnable block made
@group(0) @binding(1) var<storage, read> x: array<X>;         // [N, H, W, C], pitched
@group(0) @binding(2) var<storage, read> gates: array<T>;     // [N, 2 C], pitched: mix, background
@group(0) @binding(3) var<storage, read> m: array<f32>;       // [N, H, W, 1], pitched: the blurred mask
@group(0) @binding(4) var<storage, read_write> y: array<Y>;   // [N, H, W, C], pitched

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE / LANES) { return; }
  let c = i % (C / LANES);
  let pixel = i / (C / LANES);
  let n = pixel / HW;
  let inside = m[pixel * M_PITCH + M_OFFSET];
  let value = T(x[at(pixel, X_PITCH, X_OFFSET, c)]);
  let spliced = T(l[at(pixel, L_PITCH, L_OFFSET, c)]) + value * gates[at(n, GATES_PITCH, GATES_OFFSET, c)];
  let background = value * gates[at(n, GATES_PITCH, GATES_OFFSET + C, c)];
  y[at(pixel, Y_PITCH, Y_OFFSET, c)] = Y(activate_lanes(inside * spliced + (1.0 - inside) * background));
}
