// One element a thread, or four along the channels where pitches and offsets are multiples of 4.
// use lib/vector
const LANES: u32 = 1u;    // specialised

// Where channels c * LANES .. of a pixel lie in an array<T> of this pitch and offset.
fn at(pixel: u32, pitch: u32, offset: u32, c: u32) -> u32 {
  return pixel * (pitch / LANES) + offset / LANES + c;
}

fn add_lanes(v: T) -> f32 { return add_four(vec4<f32>(v)); }

// The same of a T made a vec4: a single lane stands there four times.
fn add_four(v: vec4<f32>) -> f32 {
  return select(v.x, v.x + v.y + v.z + v.w, LANES == 4u);
}
