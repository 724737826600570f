// Convolution for software adapters with subgroups, on planes and panels (conv2d_planes.wgsl, conv2d_weight_panels.wgsl):
// conv2d_subgroup.wgsl's tiles, but what it reads lies as it is read. NHWC's pixels and a weight's rows are multiples of
// 4 KiB apart where channels are many, and push each other out of a cache. Padding, gate and ReLU are in the planes.
//
// Taps follow each other in pairs along a row, those of a channel together. A transposed convolution (kernel 4, stride 2,
// padding 1) is four 2x2 convolutions, one for each parity of the output's row and column.
// use lib/epilogue
enable subgroups;

const LANES: u32 = 8u;       // specialised: the adapter's subgroup size
const ROWS: u32 = 8u;        // specialised: output pixels a lane
const COLUMNS: u32 = 32u;    // specialised: output channels a subgroup; 2 * COLUMNS is a multiple of LANES
const WEIGHT_LOADS: u32 = 2u * COLUMNS / LANES;

struct Params {
  pixels: u32,       // N * h_grid * w_grid
  channels: u32,     // c_in
  plane: u32,        // elements of v from one channel to the next
  plane_w: u32,
  h_grid: u32,       // output height / upsample
  w_grid: u32,
  c_out: u32,
  y_pitch: u32,
  y_offset: u32,
  kernel_h: u32,
  pairs: u32,        // of taps in a row
  steps: u32,        // c_in * kernel_h * pairs
  to_row: u32,       // elements of v from behind a row's taps to the next row's
  to_channel: u32,   // ... and from behind a channel's rows to the next channel's
  stride: u32,
  upsample: u32,     // 2: four phases; else 1
  panel: u32,        // elements of w from one block of columns to the next
  has_bias: u32,
}

alias Y = f32;   // specialised: elements of y as they are stored; arithmetic is f32

@group(0) @binding(0) var<storage, read> v: array<f32>;         // [N, c_in, .., plane_w], planes `plane` apart
@group(0) @binding(1) var<storage, read> w: array<f32>;         // [phases, blocks, c_in, kernel_h, 2 pairs, COLUMNS]
@group(0) @binding(2) var<storage, read> bias: array<f32>;      // [c_out]
@group(0) @binding(3) var<storage, read_write> y: array<Y>;     // [N, h_grid * upsample, w_grid * upsample, c_out], pitched
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let phase = vec2<u32>(group.z % p.upsample, group.z / p.upsample);
  let pixel0 = group.x * (ROWS * LANES) + lane;
  var v_index: array<u32, ROWS>;
  for (var r = 0u; r < ROWS; r++) { // @unroll
    let pixel = min(pixel0 + r * LANES, p.pixels - 1u);
    let row = pixel / p.w_grid % p.h_grid * p.stride + phase.y;
    v_index[r] = pixel / (p.w_grid * p.h_grid) * (p.channels * p.plane) + row * p.plane_w + pixel % p.w_grid * p.stride + phase.x;
  }
  var w_index = (group.z * groups.y + group.y) * p.panel + lane;

  // The sums stay in memory, where a loop may index them: each visits a register once a step, for two products.
  var sum: array<f32, ROWS * COLUMNS>;
  // One loop, for nested ones cost more than a step's products: every loop keeps a mask of the lanes still in it.
  var place = 0u;
  var pair = 0u;
  var row = 0u;
  for (var step = 0u; step < p.steps; step++) {
    var value: array<f32, 2u * ROWS>;
    for (var r = 0u; r < ROWS; r++) { // @unroll
      value[r * 2u] = v[v_index[r] + place];
      value[r * 2u + 1u] = v[v_index[r] + place + 1u];
    }
    var weights: array<f32, WEIGHT_LOADS>;
    for (var j = 0u; j < WEIGHT_LOADS; j++) { // @unroll
      weights[j] = w[w_index + j * LANES];
    }
    for (var o = 0u; o < COLUMNS; o++) { // @unroll
      let w0 = subgroupBroadcast(weights[o / LANES], o % LANES);
      let w1 = subgroupBroadcast(weights[(COLUMNS + o) / LANES], (COLUMNS + o) % LANES);
      for (var r = 0u; r < ROWS; r++) { // @unroll
        var s = sum[o * ROWS + r];
        s += value[r * 2u] * w0;
        s += value[r * 2u + 1u] * w1;
        sum[o * ROWS + r] = s;
      }
    }
    w_index += 2u * COLUMNS;
    pair += 1u;
    let row_ends = pair == p.pairs;
    row += select(0u, 1u, row_ends);
    let channel_ends = row == p.kernel_h;
    place += 2u + select(0u, p.to_row, row_ends) + select(0u, p.to_channel, channel_ends);
    pair = select(pair, 0u, row_ends);
    row = select(row, 0u, channel_ends);
  }

  for (var r = 0u; r < ROWS; r++) {
    let pixel = pixel0 + r * LANES;
    let row = pixel / p.w_grid * p.upsample + phase.y;
    let column = pixel % p.w_grid * p.upsample + phase.x;
    let y_pixel = row * (p.w_grid * p.upsample) + column;
    for (var o = 0u; o < COLUMNS; o++) {
      let channel = group.y * COLUMNS + o;
      if (pixel < p.pixels && channel < p.c_out) {
        var s = sum[o * ROWS + r];
        if (p.has_bias == 1u) { s += bias[channel]; }
        y[y_pixel * p.y_pitch + p.y_offset + channel] = Y(epilogue(s, pixel / (p.w_grid * p.h_grid), y_pixel, channel));
      }
    }
  }
}
