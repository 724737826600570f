// The input of a convolution for conv2d_subgroup_planes.wgsl: channel by channel, each a plane with the padding's zeros about
// it. One thread an element of a plane and a channel, or four channels.
// use lib/index
// use lib/input_gate
struct Params {
  h: u32,
  w: u32,
  channels: u32,      // c_in, or fours of them
  x_pitch: u32,       // in the same unit
  x_offset: u32,
  pad: u32,
  plane_h: u32,
  plane_w: u32,
  plane: u32,         // elements from one plane to the next
  relu_input: u32,
  size: u32,          // N * plane_h * plane_w * channels
}

alias X = f32;        // specialised: elements of x as they are stored, or four of them

@group(0) @binding(0) var<storage, read> x: array<X>;           // [N, h, w, c_in], pitched
@group(0) @binding(1) var<storage, read_write> v: array<f32>;   // [N, c_in, plane_h, plane_w], planes `plane` apart
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size) { return; }
  let c = i % p.channels;
  let place = i / p.channels % (p.plane_h * p.plane_w);
  let image = i / p.channels / (p.plane_h * p.plane_w);
  // These wrap to huge numbers above the image and left of it.
  let row = place / p.plane_w - p.pad;
  let column = place % p.plane_w - p.pad;
  var value = T();
  if (row < p.h && column < p.w) {
    value = T(x[((image * p.h + row) * p.w + column) * p.x_pitch + p.x_offset + c]);
    if (p.relu_input == 1u) { value = max(value, T()); }
    if (GATED) { value *= gate_of(image, c); }
  }
  let elements = vec4<f32>(value);
  let at = (image * p.channels + c) * VECTOR * p.plane + place;
  for (var j = 0u; j < VECTOR; j++) { // @unroll
    v[at + j * p.plane] = elements[j];
  }
}
