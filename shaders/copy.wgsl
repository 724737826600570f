// Copies between two places whose pixels may have different lengths, for views that the layout could not make free.
// use lib/index
// use lib/lanes
override X_C: u32;        // elements of a pixel of x
override Y_C: u32;        // and of y
override SIZE: u32;       // elements to copy
override X_PITCH: u32;
override X_OFFSET: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;

alias X = f32;            // specialised: one element or four of x and of y as they are stored
alias Y = f32;            // specialised

@group(0) @binding(0) var<storage, read> x: array<X>;         // [..., X_C], pitched
@group(0) @binding(1) var<storage, read_write> y: array<Y>;   // [..., Y_C], pitched

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE / LANES) { return; }
  let source = at(i / (X_C / LANES), X_PITCH, X_OFFSET, i % (X_C / LANES));
  let place = at(i / (Y_C / LANES), Y_PITCH, Y_OFFSET, i % (Y_C / LANES));
  y[place] = Y(T(x[source]));
}
