// The order in which a convolution takes its 4x4 tiles of outputs (src/kernels/tile_order/op.ts). A pass has only as many
// workgroups as the tiles that are needed take (tile_workgroups.wgsl).
override ORDERED: bool = false;   // else all are, as they lie

@group(0) @binding(14) var<storage, read> order: array<f32>;   // [1 + tiles]: how many are needed; the tiles, those first

fn tile_at(place: u32) -> u32 {
  if (!ORDERED) { return place; }
  return u32(order[1u + place]);
}
