// A batch of matrix products for real GPUs, y[b] = x[b] w[b], on tiles in workgroup memory: what Winograd's form of a
// convolution spends its arithmetic on. Edges of M, N and K are padded with zeros as tiles are loaded.
// use lib/gemm_rows
struct Params {
  m: u32,
  n4: u32,   // vec4s
  k4: u32,
}

alias X = vec4<f32>;         // specialised
alias W = vec4<f32>;         // specialised

@group(0) @binding(0) var<storage, read> x: array<X>;                 // [batch, m, k4]
@group(0) @binding(1) var<storage, read> w: array<W>;                 // [batch, 4 k4, n4]
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;   // [batch, m, n4]
@group(0) @binding(3) var<uniform> p: Params;

// Whether K is no whole number of steps: then the last one is filled up with zeros.
override TAIL: bool;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let m_base = group.x * TILE_M;
  let n4_base = group.y * TILE_N4;
  // Rows and columns past the last are read where the last one lies: what becomes of them is not stored.
  let lane_k4 = thread % STEP_K4;
  var x_index: array<u32, A_LOADS>;
  for (var i = 0u; i < A_LOADS; i++) { // @unroll
    let m = m_base + thread / STEP_K4 + i * (THREADS / STEP_K4);
    x_index[i] = (group.z * p.m + min(m, p.m - 1u)) * p.k4 + lane_k4;
  }
  let lane_row = thread / TILE_N4;
  let w_index = (group.z * p.k4 * 4u + lane_row) * p.n4 + min(n4_base + thread % TILE_N4, p.n4 - 1u);

  let local_m = thread / THREADS_N;
  let local_n = thread % THREADS_N;
  let steps = (p.k4 + STEP_K4 - 1u) / STEP_K4;
  var k4 = 0u;         // where the turn loads along K
  var w_offset = 0u;
  var sums: array<vec4<f32>, SUMS>;
  for (var step = 0u; step <= steps; step++) {
    // The next step's tiles are on their way while this one's are multiplied. The turn before the first only loads; the one
    // after the last loads that again, from the cache, which costs less than a branch around it would in registers.
    var a: array<vec4<f32>, A_LOADS>;
    var b: array<vec4<f32>, B_LOADS>;
    for (var i = 0u; i < A_LOADS; i++) { // @unroll
      a[i] = vec4<f32>(x[x_index[i] + k4]);
      if (TAIL && k4 + lane_k4 >= p.k4) { a[i] = vec4<f32>(); }
    }
    for (var i = 0u; i < B_LOADS; i++) { // @unroll
      b[i] = vec4<f32>(w[w_index + w_offset + i * (THREADS / TILE_N4) * p.n4]);
      if (TAIL && k4 * 4u + lane_row + i * (THREADS / TILE_N4) >= p.k4 * 4u) { b[i] = vec4<f32>(); }
    }
    if (step + 1u < steps) {
      k4 += STEP_K4;
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
    let m = m_base + local_m + i * THREADS_M;
    for (var j = 0u; j < COLUMNS4; j++) { // @unroll
      let n4 = n4_base + local_n + j * THREADS_N;
      if (m < p.m && n4 < p.n4) { y[(group.z * p.m + m) * p.n4 + n4] = sums[i * COLUMNS4 + j]; }
    }
  }
}
