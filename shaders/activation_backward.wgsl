// dx = dy * f'(x) of an activation, told from its output y: every one of them is told apart by it.
// use lib/index
// use lib/lanes
override ACTIVATION: u32;
override SLOPE: f32;
override C: u32;
override SIZE: u32;       // elements of y
override DY_PITCH: u32;
override DY_OFFSET: u32;
override Y_PITCH: u32;
override Y_OFFSET: u32;
override DX_PITCH: u32;
override DX_OFFSET: u32;

@group(0) @binding(0) var<storage, read> dy: array<T>;         // [..., C], pitched
@group(0) @binding(1) var<storage, read> y: array<T>;          // [..., C], pitched
@group(0) @binding(2) var<storage, read_write> dx: array<T>;   // [..., C], pitched

fn derivative(v: T) -> T {
  if (ACTIVATION == 1u) { return select(T(0.0), T(1.0), v > T(0.0)); }
  if (ACTIVATION == 2u) { return select(T(SLOPE), T(1.0), v > T(0.0)); }
  if (ACTIVATION == 3u) { return select(v + 1.0, T(1.0), v > T(0.0)); }
  if (ACTIVATION == 4u) { return v * (1.0 - v); }
  if (ACTIVATION == 5u) { return 1.0 - v * v; }
  return T(1.0);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= SIZE / LANES) { return; }
  let c = i % (C / LANES);
  let pixel = i / (C / LANES);
  dx[at(pixel, DX_PITCH, DX_OFFSET, c)] = dy[at(pixel, DY_PITCH, DY_OFFSET, c)] * derivative(y[at(pixel, Y_PITCH, Y_OFFSET, c)]);
}
