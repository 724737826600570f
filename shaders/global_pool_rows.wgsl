// Global pooling, first pass: sum and maximum of each row of pixels, one thread a row and channel, and the column where
// the maximum is first.
// use lib/index
// use lib/lanes
override W: u32;
override C: u32;
override SIZE: u32;       // N * H * C
override X_PITCH: u32;
override X_OFFSET: u32;

alias X = f32;            // specialised: one element or four as they are stored; arithmetic is T's

@group(0) @binding(0) var<storage, read> x: array<X>;               // [N, H, W, C], pitched
@group(0) @binding(1) var<storage, read_write> partial: array<T>;   // [N, H, 3, C]: sums, maxima, columns

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE / LANES) { return; }
  let c = i % (C / LANES);
  let row = i / (C / LANES);
  var sum = T(0.0);
  var largest = T(x[at(row * W, X_PITCH, X_OFFSET, c)]);
  var first = T(0.0);
  for (var column = 0u; column < W; column++) {
    let value = T(x[at(row * W + column, X_PITCH, X_OFFSET, c)]);
    sum += value;
    first = select(first, T(f32(column)), value > largest);   // the first of equals stays
    largest = select(largest, value, value > largest);
  }
  partial[at(3u * row, C, 0u, c)] = sum;
  partial[at(3u * row + 1u, C, 0u, c)] = largest;
  partial[at(3u * row + 2u, C, 0u, c)] = first;
}
