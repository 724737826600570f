// The channel gate that a convolution applies to x as it reads it, instead of a pass of its own over the features.
// use lib/fused
override GATED: bool = false;

struct GateParams {
  gate_pitch: u32,
  gate_offset: u32,
}

@group(0) @binding(8) var<storage, read> gate: array<T>;   // [N, C_IN], pitched
@group(0) @binding(9) var<uniform> gating: GateParams;

// What the values of an image's channels c * VECTOR .. are multiplied by.
fn gate_of(image: u32, c: u32) -> T {
  return gate_at(gate_place(image, c));
}

// The same in two steps, for loops that move along an image's channels.
fn gate_place(image: u32, c: u32) -> u32 {
  return place_of(image, gating.gate_pitch, gating.gate_offset, c);
}

fn gate_at(place: u32) -> T {
  if (!GATED) { return T(1.0); }
  return gate[place];
}
