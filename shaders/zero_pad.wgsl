// Grows an image on its four sides by zeros.
// use lib/index
// use lib/lanes
override H: u32;          // input
override W: u32;
override C: u32;
override TOP: u32;
override LEFT: u32;
override OH: u32;         // output
override OW: u32;
override SIZE: u32;       // N * OH * OW * C
override X_PITCH: u32;
override X_OFFSET: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;

@group(0) @binding(0) var<storage, read> x: array<T>;         // [N, H, W, C], pitched
@group(0) @binding(1) var<storage, read_write> y: array<T>;   // [N, OH, OW, C], pitched

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE / LANES) { return; }
  let c = i % (C / LANES);
  let pixel = i / (C / LANES);
  // Lines above and columns to the left wrap round to large numbers.
  let h = pixel / OW % OH - TOP;
  let w = pixel % OW - LEFT;
  var value = T(0.0);
  if (h < H && w < W) { value = x[at((pixel / (OW * OH) * H + h) * W + w, X_PITCH, X_OFFSET, c)]; }
  y[at(pixel, Y_PITCH, Y_OFFSET, c)] = value;
}
