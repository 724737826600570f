// Global pooling, second pass: joins the rows in their order, one thread a channel, so that results never vary.
// use lib/index
override H: u32;
override W: u32;
override C: u32;
override SIZE: u32;       // N * C
override Y_PITCH: u32;
override Y_OFFSET: u32;
override FIRST_PITCH: u32;
override FIRST_OFFSET: u32;

@group(0) @binding(0) var<storage, read> partial: array<f32>;         // [N, H, 3, C]: sums, maxima, columns
@group(0) @binding(1) var<storage, read_write> y: array<f32>;         // [N, 2 C], pitched: averages, maxima
@group(0) @binding(2) var<storage, read_write> first: array<f32>;     // [N, C], pitched: the pixel of each maximum

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE) { return; }
  let c = i % C;
  let n = i / C;
  var sum = 0.0;
  var largest = partial[(3u * n * H + 1u) * C + c];
  var row = 0u;
  for (var h = 0u; h < H; h++) {
    let place = 3u * (n * H + h) * C + c;
    sum += partial[place];
    let value = partial[place + C];
    if (value > largest) {
      largest = value;
      row = h;
    }
  }
  y[n * Y_PITCH + Y_OFFSET + c] = sum / f32(H * W);
  y[n * Y_PITCH + Y_OFFSET + C + c] = largest;
  let column = u32(partial[(3u * (n * H + row) + 2u) * C + c]);
  first[n * FIRST_PITCH + FIRST_OFFSET + c] = f32(row * W + column);
}
