// The input of a convolution under its channel gate, as the forward kernels for real GPUs read it.
// use lib/conv_input
// use lib/input_gate

// load_x() of an image told by its number, times the image's gate of these channels.
fn load_gated(image: u32, row: u32, column: u32, c: u32) -> vec4<f32> {
  let value = load_x(image * p.h, row, column, c);
  if (!GATED || row >= p.h || column >= p.w) { return value; }   // past the last image there is no gate
  return value * gate_of(image, c / 4u);
}
