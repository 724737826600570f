// The register- and workgroup-tiled inner product of the implicit GEMMs. A workgroup of 8 x 8 threads makes
// 64 rows (output pixels) x 64 columns (output channels), 8 x 8 a thread, in steps of 16 along K.
// Both tiles hold vec4s along their contiguous side, so that a step reads 4 vec4s for 64 multiply-adds.
const TILE_M: u32 = 64u;
const TILE_N: u32 = 64u;
const STEP_K4: u32 = 4u;   // vec4s along K a step

alias A4 = vec4<f32>;      // specialised: f16 halves what the tiles take, where what they hold came as f16
alias B4 = vec4<f32>;      // specialised

var<workgroup> a_tile: array<A4, 256>;   // [16 of K][64 / 4 of M]
var<workgroup> b_tile: array<B4, 256>;   // [16 of K][64 / 4 of N]

// Four pixels' vec4s along K become four vec4s along M.
fn store_a(k4: u32, m4: u32, p0: vec4<f32>, p1: vec4<f32>, p2: vec4<f32>, p3: vec4<f32>) {
  a_tile[(k4 * 4u + 0u) * 16u + m4] = A4(vec4<f32>(p0.x, p1.x, p2.x, p3.x));
  a_tile[(k4 * 4u + 1u) * 16u + m4] = A4(vec4<f32>(p0.y, p1.y, p2.y, p3.y));
  a_tile[(k4 * 4u + 2u) * 16u + m4] = A4(vec4<f32>(p0.z, p1.z, p2.z, p3.z));
  a_tile[(k4 * 4u + 3u) * 16u + m4] = A4(vec4<f32>(p0.w, p1.w, p2.w, p3.w));
}

// acc[2 i + j]: row i of 8, columns 4 j .. 4 j + 3.
fn multiply_tiles(acc: ptr<function, array<vec4<f32>, 16>>, row4: u32, column4: u32) {
  for (var k = 0u; k < 16u; k++) {
    let a0 = vec4<f32>(a_tile[k * 16u + row4]);
    let a1 = vec4<f32>(a_tile[k * 16u + row4 + 1u]);
    let b0 = vec4<f32>(b_tile[k * 16u + column4]);
    let b1 = vec4<f32>(b_tile[k * 16u + column4 + 1u]);
    for (var i = 0u; i < 4u; i++) { // @unroll
      (*acc)[2u * i] += a0[i] * b0;
      (*acc)[2u * i + 1u] += a0[i] * b1;
      (*acc)[2u * i + 8u] += a1[i] * b0;
      (*acc)[2u * i + 9u] += a1[i] * b1;
    }
  }
}
