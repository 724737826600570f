// 3x3 convolution of stride 1 and padding 1 for software adapters with subgroups. There every element loaded costs a few
// multiply-adds, whatever its address, and a barrier costs far more, so nothing goes through workgroup memory: a
// subgroup owns ROWS x LANES output pixels (a lane is a column) by CHANNELS output channels. For each input channel it
// loads each of (ROWS + 2) x (LANES + 2) inputs once (a lane takes its right-hand neighbours from the next lanes) and
// each weight once, a weight a lane, to be broadcast from there.
// use lib/input_gate
// use lib/epilogue
enable subgroups;

const LANES: u32 = 8u;      // specialised: the adapter's subgroup size
const ROWS: u32 = 16u;      // specialised: output rows of a tile
const CHANNELS: u32 = 16u;  // specialised: output channels of a tile; 9 * CHANNELS is a multiple of LANES
const WINDOW_ROWS: u32 = ROWS + 2u;
const WINDOW: u32 = 3u * WINDOW_ROWS;
const WEIGHT_LOADS: u32 = 9u * CHANNELS / LANES;
const EDGE_ROWS: u32 = LANES / 2u;   // one load brings the two columns right of the tile for this many rows
const EDGE_LOADS: u32 = (WINDOW_ROWS + EDGE_ROWS - 1u) / EDGE_ROWS;

override RELU_INPUT: bool = false;

struct Params {
  h: u32,
  w: u32,
  c_in: u32,
  x_pitch: u32,
  x_offset: u32,
  c_out: u32,
  y_pitch: u32,
  y_offset: u32,
  transposed: u32,   // 1: w is [3, 3, c_out, c_in] and its taps are reversed
  has_bias: u32,
}

alias X = f32;   // specialised: elements of x, of w and of y as they are stored; arithmetic is f32
alias W = f32;   // specialised
alias Y = f32;   // specialised

@group(0) @binding(0) var<storage, read> x: array<X>;           // [N, h, w, c_in], pitched
@group(0) @binding(1) var<storage, read> w: array<W>;           // [3, 3, c_in, c_out], or as `transposed` says
@group(0) @binding(2) var<storage, read> bias: array<f32>;      // [c_out]
@group(0) @binding(3) var<storage, read_write> y: array<Y>;     // [N, h, w, c_out], pitched
@group(0) @binding(4) var<uniform> p: Params;

fn inside(row: i32, column: i32) -> f32 {   // 0 in the padding
  return select(0.0, 1.0, row >= 0 && row < i32(p.h) && column >= 0 && column < i32(p.w));
}

fn index_of(n: u32, row: i32, column: i32) -> u32 {
  let r = u32(clamp(row, 0, i32(p.h) - 1));
  let c = u32(clamp(column, 0, i32(p.w) - 1));
  return ((n * p.h + r) * p.w + c) * p.x_pitch + p.x_offset;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let tiles_high = (p.h + ROWS - 1u) / ROWS;
  let n = group.y / tiles_high;
  let row0 = group.y % tiles_high * ROWS;
  let column0 = group.x * LANES;

  var x_index: array<u32, WINDOW_ROWS>;
  var x_inside: array<f32, WINDOW_ROWS>;
  for (var r = 0u; r < WINDOW_ROWS; r++) { // @unroll
    let row = i32(row0 + r) - 1;
    let column = i32(column0 + lane) - 1;
    x_index[r] = index_of(n, row, column);
    x_inside[r] = inside(row, column);
  }
  var edge_index: array<u32, EDGE_LOADS>;
  var edge_inside: array<f32, EDGE_LOADS>;
  for (var e = 0u; e < EDGE_LOADS; e++) { // @unroll
    let row = i32(row0 + e * EDGE_ROWS + lane / 2u) - 1;
    let column = i32(column0 + LANES + lane % 2u) - 1;
    edge_index[e] = index_of(n, row, column);
    edge_inside[e] = inside(row, column);
  }

  // The weights that a lane loads, from those of the input channel on.
  let w_channel = select(p.c_out, 1u, p.transposed == 1u);
  var w_place: array<u32, WEIGHT_LOADS>;
  for (var j = 0u; j < WEIGHT_LOADS; j++) { // @unroll
    let tap = (j * LANES + lane) / CHANNELS;
    let o = min(group.z * CHANNELS + (j * LANES + lane) % CHANNELS, p.c_out - 1u);
    w_place[j] = select(tap, 8u - tap, p.transposed == 1u) * (p.c_in * p.c_out) + o * select(1u, p.c_in, p.transposed == 1u);
  }

  // The sums stay in memory, where a loop may index them: each visits a register once an input channel, for 9 products.
  var sum: array<f32, ROWS * CHANNELS>;
  for (var c = 0u; c < p.c_in; c++) {
    var weights: array<f32, WEIGHT_LOADS>;
    for (var j = 0u; j < WEIGHT_LOADS; j++) { // @unroll
      weights[j] = f32(w[c * w_channel + w_place[j]]);
    }
    let scale = gate_of(n, c);
    var edge: array<f32, EDGE_LOADS>;
    for (var e = 0u; e < EDGE_LOADS; e++) { // @unroll
      edge[e] = f32(x[edge_index[e] + c]) * edge_inside[e];
      if (RELU_INPUT) { edge[e] = max(edge[e], 0.0); }
      if (GATED) { edge[e] *= scale; }
    }
    var window: array<f32, WINDOW>;
    for (var r = 0u; r < WINDOW_ROWS; r++) { // @unroll
      var v = f32(x[x_index[r] + c]) * x_inside[r];
      if (RELU_INPUT) { v = max(v, 0.0); }
      if (GATED) { v *= scale; }
      let right = edge[r / EDGE_ROWS];
      let first = r % EDGE_ROWS * 2u;
      window[r * 3u] = v;
      window[r * 3u + 1u] = select(subgroupShuffle(v, (lane + 1u) % LANES), subgroupShuffle(right, first), lane == LANES - 1u);
      window[r * 3u + 2u] = select(subgroupShuffle(v, (lane + 2u) % LANES), subgroupShuffle(right, first + lane % 2u), lane >= LANES - 2u);
    }
    for (var o = 0u; o < CHANNELS; o++) { // @unroll
      var tap: array<f32, 9>;
      for (var t = 0u; t < 9u; t++) { // @unroll
        tap[t] = subgroupBroadcast(weights[(t * CHANNELS + o) / LANES], (t * CHANNELS + o) % LANES);
      }
      for (var r = 0u; r < ROWS; r++) { // @unroll
        var s = sum[o * ROWS + r];
        for (var t = 0u; t < 9u; t++) { // @unroll
          s += window[r * 3u + t] * tap[t];
        }
        sum[o * ROWS + r] = s;
      }
    }
  }

  let column = column0 + lane;
  for (var r = 0u; r < ROWS; r++) {
    for (var o = 0u; o < CHANNELS; o++) {
      let row = row0 + r;
      let channel = group.z * CHANNELS + o;
      if (row < p.h && column < p.w && channel < p.c_out) {
        var v = sum[o * ROWS + r];
        if (p.has_bias == 1u) { v += bias[channel]; }
        let pixel = (n * p.h + row) * p.w + column;
        y[pixel * p.y_pitch + p.y_offset + channel] = Y(epilogue(v, n, pixel, channel));
      }
    }
  }
}
