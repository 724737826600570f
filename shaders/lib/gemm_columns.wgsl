// The product of a step where the left matrix lies term by term, four rows a vec4. a_tile is [2][STEP_K][TILE_M4].
// use lib/gemm_tile
const ROWS4: u32 = ROWS / 4u;

// sums[(4 i + c) * COLUMNS4 + j]: row 4 (local_m + i * THREADS_M) + c, columns 4 (local_n + j * THREADS_N) and on.
fn multiply_step(sums: ptr<function, array<vec4<f32>, SUMS>>, stage: u32, local_m: u32, local_n: u32) {
  // The remainders change nothing; they let a compiler prove every index in range, and drop its check of each load.
  let a_base = stage % 2u * A_SIZE + local_m % THREADS_M;
  let b_base = stage % 2u * B_SIZE + local_n % THREADS_N;
  for (var k = 0u; k < STEP_K; k++) {
    var b: array<vec4<f32>, COLUMNS4>;
    for (var j = 0u; j < COLUMNS4; j++) { // @unroll
      b[j] = b_tile[b_base + k * TILE_N4 + j * THREADS_N];
    }
    for (var i = 0u; i < ROWS4; i++) { // @unroll
      let a = a_tile[a_base + k * TILE_M4 + i * THREADS_M];
      for (var c = 0u; c < 4u; c++) { // @unroll
        for (var j = 0u; j < COLUMNS4; j++) { // @unroll
          (*sums)[(i * 4u + c) * COLUMNS4 + j] += a[c] * b[j];
        }
      }
    }
  }
}
