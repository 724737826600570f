// Winograd's F(4x4, 3x3) along one axis, four channels at once: lib/winograd.wgsl has the same transforms for one channel
// and says what the points are.
alias V = vec4<f32>;
const TILE: u32 = 4u;       // outputs of a tile along an axis
const SIDE: u32 = 6u;       // inputs
const POINTS: u32 = 36u;    // products of a tile
const A: f32 = 0.70710678118654752;
const B: f32 = 1.41421356237309505;
const A2: f32 = 0.5;
const B2: f32 = 2.0;
const SCALE_A: f32 = -2.0 / 3.0;
const SCALE_B: f32 = 1.0 / 6.0;

fn input_transform(x: array<V, 6>) -> array<V, 6> {
  let even_a = x[4] - B2 * x[2];
  let odd_a = A * (x[3] - B2 * x[1]);
  let even_b = x[4] - A2 * x[2];
  let odd_b = B * (x[3] - A2 * x[1]);
  return array<V, 6>(
    x[0] - (A2 + B2) * x[2] + x[4],
    even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b,
    x[1] - (A2 + B2) * x[3] + x[5]);
}

fn weight_transform(w: array<V, 3>) -> array<V, 6> {
  let even_a = SCALE_A * (w[0] + A2 * w[2]);
  let odd_a = SCALE_A * A * w[1];
  let even_b = SCALE_B * (w[0] + B2 * w[2]);
  let odd_b = SCALE_B * B * w[1];
  return array<V, 6>(w[0], even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b, w[2]);
}

fn output_transform(m: array<V, 6>) -> array<V, 4> {
  let even_a = m[1] + m[2];
  let odd_a = A * (m[1] - m[2]);
  let even_b = m[3] + m[4];
  let odd_b = B * (m[3] - m[4]);
  return array<V, 4>(m[0] + even_a + even_b, odd_a + odd_b, A2 * even_a + B2 * even_b, A2 * odd_a + B2 * odd_b + m[5]);
}

fn weight_adjoint(u: array<V, 6>) -> array<V, 3> {
  let even_a = SCALE_A * (u[1] + u[2]);
  let odd_a = SCALE_A * (u[1] - u[2]);
  let even_b = SCALE_B * (u[3] + u[4]);
  let odd_b = SCALE_B * (u[3] - u[4]);
  return array<V, 3>(u[0] + even_a + even_b, A * odd_a + B * odd_b, A2 * even_a + B2 * even_b + u[5]);
}

fn output_adjoint(y: array<V, 4>) -> array<V, 6> {
  let even_a = y[0] + A2 * y[2];
  let odd_a = A * (y[1] + A2 * y[3]);
  let even_b = y[0] + B2 * y[2];
  let odd_b = B * (y[1] + B2 * y[3]);
  return array<V, 6>(y[0], even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b, y[3]);
}
