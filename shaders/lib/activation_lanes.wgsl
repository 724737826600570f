// activate() of lib/activation.wgsl on one lane or four: WGSL's functions take scalars and vectors alike.
// use lib/activation
// use lib/vector

fn activate_lanes(v: T) -> T {
  if (ACTIVATION == 1u) { return max(v, T(0.0)); }
  if (ACTIVATION == 2u) { return select(SLOPE * v, v, v > T(0.0)); }
  if (ACTIVATION == 3u) { return select(exp(min(v, T(0.0))) - 1.0, v, v > T(0.0)); }
  if (ACTIVATION == 4u) {
    let e = exp(-abs(v));
    return select(e, T(1.0), v >= T(0.0)) / (1.0 + e);
  }
  if (ACTIVATION == 5u) {
    let e = exp(-2.0 * abs(v));
    return sign(v) * (1.0 - e) / (1.0 + e);
  }
  return v;
}
