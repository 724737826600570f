// A norm past 2^50 is of no more use than an infinite one, and drawing the line here lets any number of tensors be added.
const LARGEST_SQUARE = 0x1p100;

// Values that count as not finite, from the sum of the squares of the others and their own count.
fn count_of(sum: vec2<f32>) -> f32 {
  return max(sum.y, select(1.0, 0.0, sum.x < LARGEST_SQUARE));
}
