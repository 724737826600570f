// Shapes of the tiled products for real GPUs. A workgroup owns TILE_M x TILE_N sums, a thread ROWS x 4 COLUMNS4 of them in
// registers. A thread's rows and columns are interleaved with its neighbours', so that a subgroup reads the tiles without
// bank conflicts: threads side by side read vec4s side by side, or the same one.
// Two stages of tiles in workgroup memory: while one is multiplied the next is on its way, with one barrier a step.
const TILE_M: u32 = 64u;     // specialised
const TILE_N: u32 = 64u;     // specialised
const ROWS: u32 = 8u;        // specialised: rows a thread
const COLUMNS4: u32 = 2u;    // specialised: vec4s of columns a thread
const STEP_K4: u32 = 2u;     // specialised: vec4s along K a step
const STEP_K: u32 = 4u * STEP_K4;
const TILE_M4: u32 = TILE_M / 4u;
const TILE_N4: u32 = TILE_N / 4u;
const THREADS_M: u32 = TILE_M / ROWS;
const THREADS_N: u32 = TILE_N4 / COLUMNS4;
const THREADS: u32 = THREADS_M * THREADS_N;
const SUMS: u32 = ROWS * COLUMNS4;
const A_SIZE: u32 = TILE_M * STEP_K4;
const B_SIZE: u32 = STEP_K * TILE_N4;
const A_LOADS: u32 = A_SIZE / THREADS;
const B_LOADS: u32 = B_SIZE / THREADS;

var<workgroup> a_tile: array<vec4<f32>, 2u * A_SIZE>;
var<workgroup> b_tile: array<vec4<f32>, 2u * B_SIZE>;   // [2][STEP_K][TILE_N4]
