// The activation that a kernel applies as its epilogue. Codes match src/kernels/activation.ts.
override ACTIVATION: u32 = 0u;
override SLOPE: f32 = 0.0;   // of the leaky ReLU

fn activate(v: f32) -> f32 {
  if (ACTIVATION == 1u) { return max(v, 0.0); }
  if (ACTIVATION == 2u) { return select(SLOPE * v, v, v > 0.0); }
  if (ACTIVATION == 3u) { return select(exp(min(v, 0.0)) - 1.0, v, v > 0.0); }
  if (ACTIVATION == 4u) { return sigmoid(v); }
  if (ACTIVATION == 5u) { return tanh_stable(v); }
  return v;
}

// exp never sees a positive argument, so nothing overflows.
fn sigmoid(v: f32) -> f32 {
  let e = exp(-abs(v));
  return select(e, 1.0, v >= 0.0) / (1.0 + e);
}

fn tanh_stable(v: f32) -> f32 {
  let e = exp(-2.0 * abs(v));
  return sign(v) * (1.0 - e) / (1.0 + e);
}
