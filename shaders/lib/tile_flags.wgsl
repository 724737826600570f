// What tile_counts.wgsl and tile_order.wgsl see of the flags of tile_flags.wgsl: both must find the same tiles needed.
const CHUNK: u32 = 32u;   // specialised: tiles a thread counts

fn flag_at(image: u32, row: u32, column: u32) -> bool {
  let inside = row < p.high && column < p.wide;   // -1 wraps to a huge number
  return inside && flags[(image * p.high + min(row, p.high - 1u)) * p.wide + min(column, p.wide - 1u)] > 0.0;
}

// Whether a tile, or with `around` it or one beside it, holds any of the mask.
fn is_flagged(tile: u32, around: bool) -> bool {
  let image = tile / (p.high * p.wide);
  let row = tile / p.wide % p.high;
  let column = tile % p.wide;
  if (!around) { return flag_at(image, row, column); }
  for (var r = 0u; r < 3u; r++) {
    for (var c = 0u; c < 3u; c++) {
      if (flag_at(image, row + r - 1u, column + c - 1u)) { return true; }
    }
  }
  return false;
}
