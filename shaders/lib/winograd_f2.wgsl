// Winograd's F(2x2, 3x3) along one axis, four channels at once: two outputs of a three-tap filter from four inputs with
// four multiplications. Points 0, 1, -1 and infinity: sums and halves, so that it loses hardly any precision.
alias V = vec4<f32>;
const TILE: u32 = 2u;       // outputs of a tile along an axis
const SIDE: u32 = 4u;       // inputs
const POINTS: u32 = 16u;    // products of a tile

fn input_transform(x: array<V, 4>) -> array<V, 4> {
  return array<V, 4>(x[0] - x[2], x[1] + x[2], x[2] - x[1], x[1] - x[3]);
}

fn weight_transform(w: array<V, 3>) -> array<V, 4> {
  let even = 0.5 * (w[0] + w[2]);
  let odd = 0.5 * w[1];
  return array<V, 4>(w[0], even + odd, even - odd, w[2]);
}

fn output_transform(m: array<V, 4>) -> array<V, 2> {
  return array<V, 2>(m[0] + m[1] + m[2], m[1] - m[2] - m[3]);
}
