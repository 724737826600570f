// The mask at a level of the network: the mean of each cell's top-left 2 x 2 pixels, rounded, halves to even.
// use lib/index
override H: u32;          // input
override W: u32;
override STRIDE: u32;     // pixels a cell, at least 2
override OH: u32;         // output
override OW: u32;
override SIZE: u32;       // N * OH * OW
override X_PITCH: u32;
override X_OFFSET: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;         // [N, H, W, 1], pitched
@group(0) @binding(1) var<storage, read_write> y: array<f32>;   // [N, OH, OW, 1], pitched

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE) { return; }
  let ow = i % OW;
  let oh = (i / OW) % OH;
  let n = i / (OW * OH);
  let top = ((n * H + oh * STRIDE) * W + ow * STRIDE) * X_PITCH + X_OFFSET;
  let bottom = top + W * X_PITCH;
  let sum = x[top] + x[top + X_PITCH] + x[bottom] + x[bottom + X_PITCH];
  y[i * Y_PITCH + Y_OFFSET] = round(sum / 4.0);
}
