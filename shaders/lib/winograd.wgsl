// The transforms of Winograd's F(4x4, 3x3) along one axis: four outputs of a three-tap filter from six inputs with six
// multiplications. y = output_transform(weight_transform(w) * input_transform(x)), whose gradients need the adjoints
// of the outer two. Interpolation points 0, +-A, +-B and infinity; A = 1 / sqrt 2 and B = sqrt 2 lose less precision
// than the usual 1 and 2.
const A: f32 = 0.70710678118654752;
const B: f32 = 1.41421356237309505;
const A2: f32 = 0.5;
const B2: f32 = 2.0;
const SCALE_A: f32 = -2.0 / 3.0;   // 1 / (2 A^2 (A^2 - B^2))
const SCALE_B: f32 = 1.0 / 6.0;    // 1 / (2 B^2 (B^2 - A^2))
const TILE: u32 = 4u;              // outputs of a tile along an axis
const POINTS: u32 = 36u;           // products of a tile

fn input_transform(x: array<f32, 6>) -> array<f32, 6> {
  let even_a = x[4] - B2 * x[2];
  let odd_a = A * (x[3] - B2 * x[1]);
  let even_b = x[4] - A2 * x[2];
  let odd_b = B * (x[3] - A2 * x[1]);
  return array<f32, 6>(
    x[0] - (A2 + B2) * x[2] + x[4],
    even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b,
    x[1] - (A2 + B2) * x[3] + x[5]);
}

fn weight_transform(w: array<f32, 3>) -> array<f32, 6> {
  let even_a = SCALE_A * (w[0] + A2 * w[2]);
  let odd_a = SCALE_A * A * w[1];
  let even_b = SCALE_B * (w[0] + B2 * w[2]);
  let odd_b = SCALE_B * B * w[1];
  return array<f32, 6>(w[0], even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b, w[2]);
}

fn weight_adjoint(u: array<f32, 6>) -> array<f32, 3> {
  let even_a = SCALE_A * (u[1] + u[2]);
  let odd_a = SCALE_A * (u[1] - u[2]);
  let even_b = SCALE_B * (u[3] + u[4]);
  let odd_b = SCALE_B * (u[3] - u[4]);
  return array<f32, 3>(u[0] + even_a + even_b, A * odd_a + B * odd_b, A2 * even_a + B2 * even_b + u[5]);
}

fn output_transform(m: array<f32, 6>) -> array<f32, 4> {
  let even_a = m[1] + m[2];
  let odd_a = A * (m[1] - m[2]);
  let even_b = m[3] + m[4];
  let odd_b = B * (m[3] - m[4]);
  return array<f32, 4>(m[0] + even_a + even_b, odd_a + odd_b, A2 * even_a + B2 * even_b, A2 * odd_a + B2 * odd_b + m[5]);
}

fn output_adjoint(y: array<f32, 4>) -> array<f32, 6> {
  let even_a = y[0] + A2 * y[2];
  let odd_a = A * (y[1] + A2 * y[3]);
  let even_b = y[0] + B2 * y[2];
  let odd_b = B * (y[1] + B2 * y[3]);
  return array<f32, 6>(y[0], even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b, y[3]);
}
