// The activation of lib/activation.wgsl told by a parameter instead of an override, so that one pipeline serves every
// layer. A single exponential, never of a positive argument, makes ELU, sigmoid and tanh.
fn activated(v: vec4<f32>, activation: u32, slope: f32) -> vec4<f32> {
  let positive = v > vec4<f32>();
  if (activation == 0u) { return v; }
  if (activation <= 2u) { return select(slope * v, v, positive); }   // a ReLU's slope is 0
  let e = exp(select(-1.0, -2.0, activation == 5u) * abs(v));
  if (activation == 3u) { return select(e - 1.0, v, positive); }
  if (activation == 4u) { return select(e, vec4<f32>(1.0), v >= vec4<f32>()) / (1.0 + e); }
  return sign(v) * (1.0 - e) / (1.0 + e);
}
