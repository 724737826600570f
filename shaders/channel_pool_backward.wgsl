// Gradient of the pooling over channels, one thread a pixel: every channel takes its share of the mean's, the first of
// the largest all of the maximum's.
// use lib/index
struct Params {
  size: u32,   // N * H * W
  c: u32,
  dy_pitch: u32,
  dy_offset: u32,
  x_pitch: u32,
  x_offset: u32,
  dx_pitch: u32,
  dx_offset: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;         // [N, H, W, 2], pitched: of mean, of maximum
@group(0) @binding(1) var<storage, read> x: array<f32>;          // [N, H, W, C], pitched
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;   // [N, H, W, C], pitched
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size) { return; }
  var largest = x[i * p.x_pitch + p.x_offset];
  var winner = 0u;
  for (var c = 1u; c < p.c; c++) {
    let value = x[i * p.x_pitch + p.x_offset + c];
    winner = select(winner, c, value > largest);
    largest = select(largest, value, value > largest);
  }
  let mean = dy[i * p.dy_pitch + p.dy_offset] / f32(p.c);
  let maximum = dy[i * p.dy_pitch + p.dy_offset + 1u];
  for (var c = 0u; c < p.c; c++) {
    dx[i * p.dx_pitch + p.dx_offset + c] = mean + select(0.0, maximum, c == winner);
  }
}
