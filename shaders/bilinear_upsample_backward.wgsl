// Gradient of the doubling by bilinear interpolation, one thread an input pixel: it gathers from the output pixels that
// read it. Of an axis these are 2 i - 1 to 2 i + 2, whether the corners are aligned or not.
// use lib/bilinear
// use lib/index
// use lib/lanes
override H: u32;          // of dx
override W: u32;
override C: u32;
override SIZE: u32;       // N * H * W * C
override DY_PITCH: u32;
override DY_OFFSET: u32;
override DX_PITCH: u32;
override DX_OFFSET: u32;

@group(0) @binding(0) var<storage, read> dy: array<T>;         // [N, 2 H, 2 W, C], pitched
@group(0) @binding(1) var<storage, read_write> dx: array<T>;   // [N, H, W, C], pitched

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE / LANES) { return; }
  let c = i % (C / LANES);
  let pixel = i / (C / LANES);
  let n = pixel / (H * W);
  let h = pixel / W % H;
  let w = pixel % W;
  var sum = T(0.0);
  for (var line = max(2u * h, 1u) - 1u; line < min(2u * h + 3u, 2u * H); line++) {
    let down = share_of(h, line, H);
    if (down == 0.0) { continue; }
    for (var column = max(2u * w, 1u) - 1u; column < min(2u * w + 3u, 2u * W); column++) {
      let across = share_of(w, column, W);
      if (across == 0.0) { continue; }
      sum += down * across * dy[at((n * 2u * H + line) * 2u * W + column, DY_PITCH, DY_OFFSET, c)];
    }
  }
  dx[at(pixel, DX_PITCH, DX_OFFSET, c)] = sum;
}
