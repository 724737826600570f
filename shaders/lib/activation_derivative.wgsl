// f'(x) of the activations of lib/activation.wgsl, told from the output y = f(x): every one of them is told apart by it.
// use lib/activation_lanes

fn activation_derivative(y: T) -> T {
  if (ACTIVATION == 1u) { return select(T(0.0), T(1.0), y > T(0.0)); }
  if (ACTIVATION == 2u) { return select(T(SLOPE), T(1.0), y > T(0.0)); }
  if (ACTIVATION == 3u) { return select(y + 1.0, T(1.0), y > T(0.0)); }
  if (ACTIVATION == 4u) { return y * (1.0 - y); }
  if (ACTIVATION == 5u) { return 1.0 - y * y; }
  return T(1.0);
}
