// Gradient of the padding by mirrors, one thread an input pixel: it gathers its images. They repeat with the period of the
// mirrors, once as they are and once turned round.
// use lib/index
// use lib/lanes
override H: u32;          // of dx
override W: u32;
override C: u32;
override TOP: u32;
override LEFT: u32;
override OH: u32;         // of dy
override OW: u32;
override SIZE: u32;       // N * H * W * C
override DY_PITCH: u32;
override DY_OFFSET: u32;
override DX_PITCH: u32;
override DX_OFFSET: u32;

@group(0) @binding(0) var<storage, read> dy: array<T>;         // [N, OH, OW, C], pitched
@group(0) @binding(1) var<storage, read_write> dx: array<T>;   // [N, H, W, C], pitched

struct Images { period: u32, first: vec2<u32>, kinds: u32 }   // where each kind begins; the edges have but one

// Of pixel i of an axis of size pixels with `before` padded ones in front.
fn images_of(i: u32, before: u32, size: u32) -> Images {
  if (size == 1u) { return Images(1u, vec2<u32>(0u), 1u); }
  let period = 2u * (size - 1u);
  let turned = period - i;
  let first = vec2<u32>((i + before) % period, (turned + before) % period);
  return Images(period, first, select(2u, 1u, i == 0u || i == size - 1u));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE / LANES) { return; }
  let c = i % (C / LANES);
  let pixel = i / (C / LANES);
  let n = pixel / (H * W);
  let lines = images_of(pixel / W % H, TOP, H);
  let columns = images_of(pixel % W, LEFT, W);
  var sum = T(0.0);
  for (var a = 0u; a < lines.kinds; a++) {
    for (var line = lines.first[a]; line < OH; line += lines.period) {
      for (var b = 0u; b < columns.kinds; b++) {
        for (var column = columns.first[b]; column < OW; column += columns.period) {
          sum += dy[at((n * OH + line) * OW + column, DY_PITCH, DY_OFFSET, c)];
        }
      }
    }
  }
  dx[at(pixel, DX_PITCH, DX_OFFSET, c)] = sum;
}
