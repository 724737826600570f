// A batch of matrix products whose left matrix lies transposed, y[b] = x[b]^T w[b], for real GPUs: the weight gradient in
// Winograd's form, summed over tiles. K is cut into slices, so that few and small results still use the whole device.
// use lib/gemm_columns
struct Params {
  m4: u32,           // vec4s
  n4: u32,
  k: u32,
  slices: u32,
  slice_k: u32,      // of K, whole steps
  accumulate: u32,   // 1: adds to what y holds
}

alias X = vec4<f32>;         // specialised
alias W = vec4<f32>;         // specialised

@group(0) @binding(0) var<storage, read> x: array<X>;                 // [batch, k, m4]
@group(0) @binding(1) var<storage, read> w: array<W>;                 // [batch, k, n4]
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;   // [batch, slices, 4 m4, n4]
@group(0) @binding(3) var<uniform> p: Params;

// Whether K is no whole number of steps: then the last one is filled up with zeros.
override TAIL: bool;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let m4_base = group.x * TILE_M4;
  let n4_base = group.y * TILE_N4;
  let batch = group.z / p.slices;
  let first = group.z % p.slices * p.slice_k;
  let end = min(first + p.slice_k, p.k);   // the last slice may have fewer, or none
  let steps = (max(end, first) - first + STEP_K - 1u) / STEP_K;

  // Rows and columns of the result past the last are read where the last one lies: what becomes of them is not stored.
  let x_lane = first + thread / TILE_M4;
  let w_lane = first + thread / TILE_N4;
  let x_index = (batch * p.k + x_lane) * p.m4 + min(m4_base + thread % TILE_M4, p.m4 - 1u);
  let w_index = (batch * p.k + w_lane) * p.n4 + min(n4_base + thread % TILE_N4, p.n4 - 1u);

  let local_m = thread / THREADS_N;
  let local_n = thread % THREADS_N;
  var k = 0u;          // where the turn loads along the slice
  var x_offset = 0u;
  var w_offset = 0u;
  var sums: array<vec4<f32>, SUMS>;
  for (var step = 0u; step <= steps; step++) {
    // The next step's tiles are on their way while this one's are multiplied. The turn before the first only loads; the one
    // after the last loads that again, from the cache, which costs less than a branch around it would in registers.
    var a: array<vec4<f32>, A_LOADS>;
    var b: array<vec4<f32>, B_LOADS>;
    for (var i = 0u; i < A_LOADS; i++) { // @unroll
      a[i] = vec4<f32>(x[x_index + x_offset + i * (THREADS / TILE_M4) * p.m4]);
      if (TAIL && x_lane + k + i * (THREADS / TILE_M4) >= end) { a[i] = vec4<f32>(); }
    }
    for (var i = 0u; i < B_LOADS; i++) { // @unroll
      b[i] = vec4<f32>(w[w_index + w_offset + i * (THREADS / TILE_N4) * p.n4]);
      if (TAIL && w_lane + k + i * (THREADS / TILE_N4) >= end) { b[i] = vec4<f32>(); }
    }
    if (step + 1u < steps) {
      k += STEP_K;
      x_offset += STEP_K * p.m4;
      w_offset += STEP_K * p.n4;
    }
    if (step > 0u) { multiply_step(&sums, step + 1u, local_m, local_n); }
    for (var i = 0u; i < A_LOADS; i++) { // @unroll
      a_tile[step % 2u * A_SIZE + thread + i * THREADS] = a[i];
    }
    for (var i = 0u; i < B_LOADS; i++) { // @unroll
      b_tile[step % 2u * B_SIZE + thread + i * THREADS] = b[i];
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < ROWS; i++) { // @unroll
    let m = (m4_base + local_m + i / 4u * THREADS_M) * 4u + i % 4u;
    for (var j = 0u; j < COLUMNS4; j++) { // @unroll
      let n4 = n4_base + local_n + j * THREADS_N;
      if (m < p.m4 * 4u && n4 < p.n4) {
        let at = (group.z * p.m4 * 4u + m) * p.n4 + n4;
        var value = sums[i * COLUMNS4 + j];
        if (p.accumulate == 1u) { value += y[at]; }
        y[at] = value;
      }
    }
  }
}
