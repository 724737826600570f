// Where bilinear interpolation reads when it doubles an axis. Places are fractions of integers, so that none is rounded.
override ALIGN_CORNERS: bool;

struct Place { first: u32, second: u32, weight: f32 }   // of the second

// Where output pixel o of an axis with size input pixels reads: o (size - 1) / (2 size - 1) with the corners aligned,
// else (o + 1/2) / 2 - 1/2, but not before pixel 0.
fn place_of(o: u32, size: u32) -> Place {
  var numerator = max(2u * o, 1u) - 1u;
  var denominator = 4u;
  if (ALIGN_CORNERS) {
    numerator = o * (size - 1u);
    denominator = 2u * size - 1u;
  }
  let first = numerator / denominator;
  return Place(first, min(first + 1u, size - 1u), f32(numerator % denominator) / f32(denominator));
}

// How much of input pixel i output pixel o is made of.
fn share_of(i: u32, o: u32, size: u32) -> f32 {
  let place = place_of(o, size);
  return select(0.0, 1.0 - place.weight, place.first == i) + select(0.0, place.weight, place.second == i);
}
