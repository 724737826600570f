// The products of matmul_subgroup.wgsl for compilers that keep no array in registers (SwiftShader's): there a store to a
// variable costs as much as a few multiply-adds, an array indexed by a variable far more, and compilation grows fast with
// the number of variables. So sums are indexed by constants alone and visited once a step of four terms, everything else
// is a value, and tiles are large, for loads and broadcasts are the dearest of all.
enable subgroups;

const LANES: u32 = 4u;      // specialised: the adapter's subgroup size
const ROWS: u32 = 16u;      // specialised: rows a lane; a subgroup owns ROWS * LANES by COLUMNS
const COLUMNS: u32 = 32u;   // specialised: a multiple of LANES
const ACCUMULATE: u32 = 0u;   // specialised: 1 adds to what y holds
const DEPTH: u32 = 4u;      // terms a step
const W_LOADS: u32 = DEPTH * COLUMNS / LANES;
const X_LOADS: u32 = DEPTH * ROWS;

struct Params {
  m: u32,
  n: u32,
  k: u32,
  steps: u32,        // ceil(k / DEPTH)
  x_batch: u32,      // elements of x from one product to the next
  x_row: u32,        // ... from one row to the next
  x_term: u32,       // ... and from one term to the next
  y_row: u32,        // elements of y from one row to the next: n up to whole tiles, which are written without guards
}

@group(0) @binding(0) var<storage, read> x: array<f32>;         // [batch, m, k], by x_batch, x_row and x_term
@group(0) @binding(1) var<storage, read> w: array<f32>;         // [batch, ceil(n / COLUMNS), steps * DEPTH, COLUMNS], padded with 0
@group(0) @binding(2) var<storage, read_write> y: array<f32>;   // [batch, m, n], rows y_row apart
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let row0 = group.x * (ROWS * LANES) + lane;
  var x_index: array<u32, ROWS>;
  for (var r = 0u; r < ROWS; r++) { // @unroll
    x_index[r] = group.z * p.x_batch + min(row0 + r * LANES, p.m - 1u) * p.x_row;
  }
  var w_index = (group.z * ((p.n + COLUMNS - 1u) / COLUMNS) + group.y) * (p.steps * DEPTH * COLUMNS) + lane;

  var sum: array<f32, ROWS * COLUMNS>;
  for (var step = 0u; step < p.steps; step++) {
    var value: array<f32, X_LOADS>;
    for (var d = 0u; d < DEPTH; d++) { // @unroll
      let term = min(step * DEPTH + d, p.k - 1u) * p.x_term;   // past the last term w is 0
      for (var r = 0u; r < ROWS; r++) { // @unroll
        value[r * DEPTH + d] = x[x_index[r] + term];
      }
    }
    var weights: array<f32, W_LOADS>;
    for (var j = 0u; j < W_LOADS; j++) { // @unroll
      weights[j] = w[w_index + j * LANES];
    }
    w_index += DEPTH * COLUMNS;
    for (var o = 0u; o < COLUMNS; o++) { // @unroll
      let w0 = subgroupBroadcast(weights[o / LANES], o % LANES);
      let w1 = subgroupBroadcast(weights[(COLUMNS + o) / LANES], o % LANES);
      let w2 = subgroupBroadcast(weights[(2u * COLUMNS + o) / LANES], o % LANES);
      let w3 = subgroupBroadcast(weights[(3u * COLUMNS + o) / LANES], o % LANES);
      for (var r = 0u; r < ROWS; r++) { // @unroll
        sum[o * ROWS + r] = sum[o * ROWS + r] + value[r * DEPTH] * w0 + value[r * DEPTH + 1u] * w1
          + value[r * DEPTH + 2u] * w2 + value[r * DEPTH + 3u] * w3;
      }
    }
  }

  for (var r = 0u; r < ROWS; r++) { // @unroll
    let row = row0 + r * LANES;
    if (row < p.m) {
      let index = (group.z * p.m + row) * p.y_row + group.y * COLUMNS;
      for (var o = 0u; o < COLUMNS; o++) { // @unroll
        for (var once = ACCUMULATE; once < 1u; once++) { // @unroll
          y[index + o] = sum[o * ROWS + r];
        }
        for (var once = 0u; once < ACCUMULATE; once++) { // @unroll
          y[index + o] = y[index + o] + sum[o * ROWS + r];
        }
      }
    }
  }
}
