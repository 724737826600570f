// The bench's yardstick of memory: a copy of everything, element by element, neighbours by neighbouring threads.
alias T = vec4<f32>;                                         // specialised
const EACH: u32 = 4u;                                        // specialised: elements a thread
// use lib/index

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  // Threads side by side take elements side by side; a thread's own lie a workgroup apart.
  let first = index_1d(group, groups, 0u) * EACH + local;
  for (var k = 0u; k < EACH; k++) {
    let i = first + k * WG;
    if (i < arrayLength(&y)) { y[i] = x[i]; }
  }
}
