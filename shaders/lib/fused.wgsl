// Where the operands of what is fused into a convolution lie.
// use lib/vector
const VECTOR: u32 = 1u;   // specialised: channels that T holds

// Channels c * VECTOR .. of a pixel, or of an image, in an array<T> of this pitch and offset.
fn place_of(pixel: u32, pitch: u32, offset: u32, c: u32) -> u32 {
  return pixel * (pitch / VECTOR) + offset / VECTOR + c;
}
