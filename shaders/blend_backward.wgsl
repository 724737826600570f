// Gradients of the blend y = m a + (1 - m) b, one thread a pixel: da = m dy, db = (1 - m) dy, dm = sum of dy (a - b).
// use lib/index
// use lib/lanes
struct Params {
  size: u32,   // N * H * W
  c: u32,
  dy_pitch: u32,
  dy_offset: u32,
  a_pitch: u32,
  a_offset: u32,
  b_pitch: u32,
  b_offset: u32,
  m_pitch: u32,
  m_offset: u32,
  da_pitch: u32,
  da_offset: u32,
  db_pitch: u32,
  db_offset: u32,
  dm_pitch: u32,
  dm_offset: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<T>;           // [N, H, W, C], pitched
@group(0) @binding(1) var<storage, read> a: array<T>;            // [N, H, W, C], pitched
@group(0) @binding(2) var<storage, read> b: array<T>;            // [N, H, W, C], pitched
@group(0) @binding(3) var<storage, read> m: array<f32>;          // [N, H, W, 1], pitched
@group(0) @binding(4) var<storage, read_write> da: array<T>;     // [N, H, W, C], pitched
@group(0) @binding(5) var<storage, read_write> db: array<T>;     // [N, H, W, C], pitched
@group(0) @binding(6) var<storage, read_write> dm: array<f32>;   // [N, H, W, 1], pitched
@group(0) @binding(7) var<uniform> p: Params;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  if (i >= p.size) { return; }
  let inside = m[i * p.m_pitch + p.m_offset];
  var sum = T(0.0);
  for (var c = 0u; c < p.c / LANES; c++) {
    let d = dy[at(i, p.dy_pitch, p.dy_offset, c)];
    da[at(i, p.da_pitch, p.da_offset, c)] = inside * d;
    db[at(i, p.db_pitch, p.db_offset, c)] = (1.0 - inside) * d;
    sum += d * (a[at(i, p.a_pitch, p.a_offset, c)] - b[at(i, p.b_pitch, p.b_offset, c)]);
  }
  dm[i * p.dm_pitch + p.dm_offset] = add_lanes(sum);
}
