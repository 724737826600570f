// The input of a convolution as the left matrix of a product: how kernels for real GPUs read four channels under a tap.
// X may be vec4s, or scalars where a view's channels, pitch or offset is no multiple of 4.
alias X = vec4<f32>;         // specialised: f32 where four channels cannot go at once
const X_LANES: u32 = 4u;     // specialised
const NOWHERE: u32 = 0x80000000u;   // a row that is outside of every image

// Four channels from c on of the input pixel at (image + row, column); zeros outside the image and past its channels.
fn load_x(image: u32, row: u32, column: u32, c: u32) -> vec4<f32> {
  if (row >= p.h || column >= p.w) { return vec4<f32>(); }
  let at = ((image + row) * p.w + column) * p.x_pitch + p.x_offset + c;
  var value = vec4<f32>();
  if (X_LANES == 4u) {
    value = vec4<f32>(vec4(x[at / 4u]));   // vec4(): X is a scalar where the other branch is taken
  } else {
    for (var i = 0u; i < 4u; i++) { // @unroll
      if (c + i < p.c_in) { value[i] = f32(vec4(x[at + i]).x); }
    }
  }
  if (p.relu_input == 1u) { value = max(value, vec4<f32>()); }
  return value;
}
