// What follows the sums of a convolution before they are written: an addend, the activation, the composition of S2AM, the
// derivative of a ReLU.
// use lib/activation_lanes
// use lib/fused
override ADDS: bool = false;       // beside[..] to the sum
override CUTS: bool = false;       // to 0 where beside[..] is not positive
override COMPOSES: bool = false;   // y = mask (activation(sum) + beside mix) + (1 - mask) beside background

struct EpilogueParams {
  beside_pitch: u32,
  beside_offset: u32,
  gates_pitch: u32,
  gates_offset: u32,
  gates_c: u32,        // channels of a gate
  mask_pitch: u32,
  mask_offset: u32,
}

alias BESIDE = T;   // specialised: what T holds of `beside`, as it is stored; arithmetic is f32

@group(0) @binding(10) var<storage, read> beside: array<BESIDE>;   // [N, OH, OW, C_OUT], pitched: the addend, S2AM's features, or what a ReLU saw
@group(0) @binding(11) var<storage, read> gates: array<T>;         // [N, 2 C_OUT], pitched: mix, background
@group(0) @binding(12) var<storage, read> mask: array<f32>;        // [N, OH, OW, 1], pitched
@group(0) @binding(13) var<uniform> ep: EpilogueParams;

// What the features are multiplied by in the composition.
struct Composing {
  mixing: T,
  background: T,
}

// Of an image's channels c * VECTOR ..: for threads that finish several pixels.
fn composing_of(image: u32, c: u32) -> Composing {
  if (!COMPOSES) { return Composing(T(0.0), T(0.0)); }
  return Composing(
    gates[place_of(image, ep.gates_pitch, ep.gates_offset, c)],
    gates[place_of(image, ep.gates_pitch, ep.gates_offset + ep.gates_c, c)]);
}

// @param sum of channels c * VECTOR .. of an output pixel, its bias counted in
// @param pixel counted through all images
fn epilogue(sum: T, image: u32, pixel: u32, c: u32) -> T {
  return epilogue_composing(sum, composing_of(image, c), pixel, c);
}

fn epilogue_composing(sum: T, composing: Composing, pixel: u32, c: u32) -> T {
  if (ADDS) { return activate_lanes(sum + T(beside[place_of(pixel, ep.beside_pitch, ep.beside_offset, c)])); }
  let value = activate_lanes(sum);
  if (CUTS) { return select(T(0.0), value, T(beside[place_of(pixel, ep.beside_pitch, ep.beside_offset, c)]) > T(0.0)); }
  if (!COMPOSES) { return value; }
  let inside = mask[pixel * ep.mask_pitch + ep.mask_offset];
  let feature = T(beside[place_of(pixel, ep.beside_pitch, ep.beside_offset, c)]);
  let background = feature * composing.background;
  let composed = inside * (value + feature * composing.mixing) + (1.0 - inside) * background;
  return select(composed, background, inside == 0.0);   // there the sum may be of what was never computed
}
