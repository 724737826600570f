// Convolution for software adapters with subgroups: any kernel and stride, and the parity phases of a transposed one.
// There every element loaded costs a few multiply-adds, whatever its address, and a barrier costs far more, so nothing
// goes through workgroup memory: a subgroup owns PIXELS x LANES output pixels (lanes run along pixels) by CHANNELS output
// channels. One load brings LANES weights, one a lane, and each is broadcast from its lane to meet PIXELS registers.
//
// A transposed convolution (kernel 4, stride 2, padding 1) is four 2x2 convolutions, one for each parity of the output's
// row and column: upsample = 2, 2x2 taps, stride 1, padding 1. The shape comes as parameters, not as overrides: on a
// software adapter one pipeline for all shapes saves a second of compilation each.
// use lib/input_gate
// use lib/epilogue
enable subgroups;

const LANES: u32 = 8u;       // specialised: the adapter's subgroup size
const PIXELS: u32 = 4u;      // specialised: output pixels a lane
const CHANNELS: u32 = 32u;   // specialised: output channels a subgroup
const DEPTH: u32 = 4u;       // specialised: input channels a step; DEPTH * CHANNELS is a multiple of LANES
const WEIGHT_LOADS: u32 = DEPTH * CHANNELS / LANES;
const X_LOADS: u32 = DEPTH * PIXELS;

override RELU_INPUT: bool = false;

struct Params {
  pixels: u32,     // N * h_grid * w_grid
  h: u32,          // input
  w: u32,
  c_in: u32,
  x_pitch: u32,
  x_offset: u32,
  h_grid: u32,     // output height / upsample
  w_grid: u32,
  c_out: u32,
  y_pitch: u32,
  y_offset: u32,
  kernel_h: u32,
  kernel_w: u32,
  stride: u32,
  pad: u32,
  steps: u32,      // ceil(c_in / DEPTH)
  transposed: u32, // 1: w is [.., c_out, c_in] and its taps are walked backwards
  upsample: u32,   // 2: transposed of stride 2, four phases; else 1
  has_bias: u32,
}

alias X = f32;   // specialised: elements of x, of w and of y as they are stored; arithmetic is f32
alias W = f32;   // specialised
alias Y = f32;   // specialised

@group(0) @binding(0) var<storage, read> x: array<X>;           // [N, h, w, c_in], pitched
@group(0) @binding(1) var<storage, read> w: array<W>;           // [kernel_h * upsample, kernel_w * upsample, c_in, c_out], or as `transposed` says
@group(0) @binding(2) var<storage, read> bias: array<f32>;      // [c_out]
@group(0) @binding(3) var<storage, read_write> y: array<Y>;     // [N, h_grid * upsample, w_grid * upsample, c_out], pitched
@group(0) @binding(4) var<uniform> p: Params;

// Which of w's taps a phase meets as its tap (r, s).
fn kernel_tap(r: u32, s: u32, phase: vec2<u32>) -> u32 {
  if (p.transposed == 0u) { return r * p.kernel_w + s; }
  let size = vec2<u32>(p.kernel_w, p.kernel_h) * p.upsample;
  let tap = size - 1u - phase - vec2<u32>(s, r) * p.upsample;
  return tap.y * size.x + tap.x;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  // Large maps have more tiles than a dimension of workgroups: z counts the phases, then further rows of tiles.
  let phases = p.upsample * p.upsample;
  let phase = vec2<u32>(group.z % phases % p.upsample, group.z % phases / p.upsample);
  let pixel0 = (group.z / phases * groups.x + group.x) * (PIXELS * LANES) + lane;

  // Top left of each pixel's window, and where its image begins.
  var top: array<i32, PIXELS>;
  var left: array<i32, PIXELS>;
  var image: array<u32, PIXELS>;
  for (var i = 0u; i < PIXELS; i++) { // @unroll
    let pixel = min(pixel0 + i * LANES, p.pixels - 1u);
    top[i] = i32(pixel / p.w_grid % p.h_grid * p.stride + phase.y) - i32(p.pad);
    left[i] = i32(pixel % p.w_grid * p.stride + phase.x) - i32(p.pad);
    image[i] = pixel / (p.w_grid * p.h_grid) * (p.h * p.w);
  }

  // The weights that a lane loads, from those of the step's first input channel on.
  let w_channel = select(p.c_out, 1u, p.transposed == 1u);
  var w_place: array<u32, WEIGHT_LOADS>;
  for (var j = 0u; j < WEIGHT_LOADS; j++) { // @unroll
    let o = min(group.y * CHANNELS + (j * LANES + lane) % CHANNELS, p.c_out - 1u);
    w_place[j] = (j * LANES + lane) / CHANNELS * w_channel + o * select(1u, p.c_in, p.transposed == 1u);
  }
  let w_last = p.kernel_h * p.kernel_w * p.upsample * p.upsample * p.c_in * p.c_out - 1u;

  // The sums stay in memory, where a loop may index them: each visits a register once a step, for DEPTH products.
  var sum: array<f32, PIXELS * CHANNELS>;
  for (var tap = 0u; tap < p.kernel_h * p.kernel_w; tap++) {
    let w_tap = kernel_tap(tap / p.kernel_w, tap % p.kernel_w, phase) * (p.c_in * p.c_out);
    var x_index: array<u32, PIXELS>;
    var inside: array<f32, PIXELS>;   // 0 in the padding
    for (var i = 0u; i < PIXELS; i++) { // @unroll
      let row = top[i] + i32(tap / p.kernel_w);
      let column = left[i] + i32(tap % p.kernel_w);
      inside[i] = select(0.0, 1.0, row >= 0 && row < i32(p.h) && column >= 0 && column < i32(p.w));
      let r = u32(clamp(row, 0, i32(p.h) - 1));
      let c = u32(clamp(column, 0, i32(p.w) - 1));
      x_index[i] = (image[i] + r * p.w + c) * p.x_pitch + p.x_offset;
    }
    for (var step = 0u; step < p.steps; step++) {
      var value: array<f32, X_LOADS>;
      for (var d = 0u; d < DEPTH; d++) { // @unroll
        let c = min(step * DEPTH + d, p.c_in - 1u);
        let exists = select(0.0, 1.0, step * DEPTH + d < p.c_in);
        for (var i = 0u; i < PIXELS; i++) { // @unroll
          var v = f32(x[x_index[i] + c]) * (inside[i] * exists);
          if (RELU_INPUT) { v = max(v, 0.0); }
          if (GATED) { v *= gate_of(image[i] / (p.h * p.w), c); }
          value[i * DEPTH + d] = v;
        }
      }
      var weights: array<f32, WEIGHT_LOADS>;
      for (var j = 0u; j < WEIGHT_LOADS; j++) { // @unroll
        weights[j] = f32(w[min(w_tap + step * DEPTH * w_channel + w_place[j], w_last)]);
      }
      for (var o = 0u; o < CHANNELS; o++) { // @unroll
        var weight: array<f32, DEPTH>;
        for (var d = 0u; d < DEPTH; d++) { // @unroll
          weight[d] = subgroupBroadcast(weights[(d * CHANNELS + o) / LANES], (d * CHANNELS + o) % LANES);
        }
        for (var i = 0u; i < PIXELS; i++) { // @unroll
          var s = sum[o * PIXELS + i];
          for (var d = 0u; d < DEPTH; d++) { // @unroll
            s += value[i * DEPTH + d] * weight[d];
          }
          sum[o * PIXELS + i] = s;
        }
      }
    }
  }

  for (var i = 0u; i < PIXELS; i++) {
    let pixel = pixel0 + i * LANES;
    let row = pixel / p.w_grid * p.upsample + phase.y;
    let column = pixel % p.w_grid * p.upsample + phase.x;
    let y_pixel = row * (p.w_grid * p.upsample) + column;
    for (var o = 0u; o < CHANNELS; o++) {
      let channel = group.y * CHANNELS + o;
      if (pixel < p.pixels && channel < p.c_out) {
        var v = sum[o * PIXELS + i];
        if (p.has_bias == 1u) { v += bias[channel]; }
        y[y_pixel * p.y_pitch + p.y_offset + channel] = Y(epilogue(v, pixel / (p.w_grid * p.h_grid), y_pixel, channel));
      }
    }
  }
}
