// The pixel that stands at index i of an axis of `size` pixels to which `before` mirrored ones were prepended. The edge
// pixel is not repeated; where the padding is wider than the axis, the mirror image is mirrored again.
fn reflect_index(i: u32, before: u32, size: u32) -> u32 {
  if (size == 1u) { return 0u; }
  let period = 2u * (size - 1u);
  let place = (i + period - before % period) % period;
  return min(place, period - place);
}
