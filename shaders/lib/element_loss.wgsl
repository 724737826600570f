// Losses of single elements and their derivatives. Codes match src/kernels/element_loss.ts.
override LOSS: u32;
override HAS_TARGET: bool = true;

const SMALLEST_NORMAL = 0x1p-126;

fn loss_of(y: f32, goal: f32) -> f32 {
  if (LOSS == 0u) { return (y - goal) * (y - goal); }
  if (LOSS == 1u) { return abs(y - goal); }
  return -(goal * bounded_log(y) + (1.0 - goal) * bounded_log(1.0 - y));
}

fn slope_of(y: f32, goal: f32) -> f32 {
  if (LOSS == 0u) { return 2.0 * (y - goal); }
  if (LOSS == 1u) { return sign(y - goal); }
  return (y - goal) / max(y * (1.0 - y), 1e-12);
}

// log(p), but not below -100, so that certainty in the wrong stays finite.
fn bounded_log(p: f32) -> f32 {
  return select(max(log(max(p, SMALLEST_NORMAL)), -100.0), -100.0, p < SMALLEST_NORMAL);
}
