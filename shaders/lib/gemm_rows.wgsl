// The product of a step where the left matrix lies row by row, four terms a vec4. a_tile is [2][TILE_M][STEP_K4].
// use lib/gemm_tile

// sums[i * COLUMNS4 + j]: row local_m + i * THREADS_M, columns 4 (local_n + j * THREADS_N) and on.
fn multiply_step(sums: ptr<function, array<vec4<f32>, SUMS>>, stage: u32, local_m: u32, local_n: u32) {
  // The remainders change nothing; they let a compiler prove every index in range, and drop its check of each load.
  let a_base = stage % 2u * A_SIZE + local_m % THREADS_M * STEP_K4;
  let b_base = stage % 2u * B_SIZE + local_n % THREADS_N;
  for (var k4 = 0u; k4 < STEP_K4; k4++) {
    var b: array<vec4<f32>, 4u * COLUMNS4>;
    for (var k = 0u; k < 4u; k++) { // @unroll
      for (var j = 0u; j < COLUMNS4; j++) { // @unroll
        b[k * COLUMNS4 + j] = b_tile[b_base + (k4 * 4u + k) * TILE_N4 + j * THREADS_N];
      }
    }
    for (var i = 0u; i < ROWS; i++) { // @unroll
      let a = a_tile[a_base + i * (THREADS_M * STEP_K4) + k4];
      for (var j = 0u; j < COLUMNS4; j++) { // @unroll
        (*sums)[i * COLUMNS4 + j] += a.x * b[j];
        (*sums)[i * COLUMNS4 + j] += a.y * b[COLUMNS4 + j];
        (*sums)[i * COLUMNS4 + j] += a.z * b[2u * COLUMNS4 + j];
        (*sums)[i * COLUMNS4 + j] += a.w * b[3u * COLUMNS4 + j];
      }
    }
  }
}
