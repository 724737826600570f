// The transforms of Winograd's F(4x4, 2x2) along one axis: four outputs of a two-tap filter from five inputs with five
// multiplications. y = output_transform(weight_transform(w) * input_transform(x)). Interpolation points +-A, +-B and
// infinity: errors are half of those of 0, 1, -1, 2 and a third of F(4x4, 3x3)'s. Convolutions of kernel 4 and stride 2
// are made of such: a filter of two taps a side for each parity of row and column.
const A: f32 = 0.4;
const B: f32 = 1.2;
const A2: f32 = 0.16;
const B2: f32 = 1.44;
const SCALE_A: f32 = -0.9765625;     // 1 / (2 A (A^2 - B^2))
const SCALE_B: f32 = 0.3255208333;   // 1 / (2 B (B^2 - A^2))
const TILE: u32 = 4u;                // outputs of a tile along an axis
const POINTS: u32 = 25u;             // products of a tile

fn input_transform(x: array<f32, 5>) -> array<f32, 5> {
  let odd_a = x[3] - B2 * x[1];
  let even_a = A * (x[2] - B2 * x[0]);
  let odd_b = x[3] - A2 * x[1];
  let even_b = B * (x[2] - A2 * x[0]);
  return array<f32, 5>(odd_a + even_a, odd_a - even_a, odd_b + even_b, odd_b - even_b,
    A2 * B2 * x[0] - (A2 + B2) * x[2] + x[4]);
}

fn weight_transform(w: array<f32, 2>) -> array<f32, 5> {
  let a = A * w[1];
  let b = B * w[1];
  return array<f32, 5>(SCALE_A * (w[0] + a), SCALE_A * (a - w[0]), SCALE_B * (w[0] + b), SCALE_B * (b - w[0]), w[1]);
}

fn output_transform(m: array<f32, 5>) -> array<f32, 4> {
  let even_a = m[0] + m[1];
  let odd_a = A * (m[0] - m[1]);
  let even_b = m[2] + m[3];
  let odd_b = B * (m[2] - m[3]);
  return array<f32, 4>(even_a + even_b, odd_a + odd_b, A2 * even_a + B2 * even_b, A2 * odd_a + B2 * odd_b + m[4]);
}
