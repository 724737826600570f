// 2-D convolution, a patch of 4 x 4 outputs by CHANNELS output channels a thread, in its own registers. For software adapters
// without subgroups: there every element loaded costs a few multiply-adds whatever its address, and a barrier turns a shader
// into coroutines that compile for seconds. So nothing goes through workgroup memory, an element loaded meets 8 or 16 others,
// and the loops over taps and input channels stay loops. It serves the transposed convolution as conv2d_implicit_gemm.wgsl does:
// of stride 1 with its taps reversed, of kernel 4 and stride 2 as four 2x2 convolutions, one a parity phase of the output.
// use lib/index
// use lib/input_gate
// use lib/epilogue
const CHANNELS: u32 = 8u;   // specialised
const SIDE: u32 = 4u;       // of a patch: a tile of tile_order
const PIXELS: u32 = SIDE * SIDE;

override RELU_INPUT: bool = false;
override ORDERED: bool = false;   // patches in the order bound as `mask`, [1 + tiles], as far as they are needed

struct Params {
  h: u32,            // input
  w: u32,
  c_in: u32,
  x_pitch: u32,
  x_offset: u32,
  grid_h: u32,       // output pixels of a phase
  grid_w: u32,
  c_out: u32,
  y_pitch: u32,
  y_offset: u32,
  kernel_h: u32,     // of a phase
  kernel_w: u32,
  stride: u32,
  pad: u32,          // phase 1 of an axis has one less
  upsample: u32,     // 2: phases of an axis; 1: none
  transposed: u32,   // 1: w is [r, s, c_out, c_in] and its taps are reversed
  high: u32,         // patches of a phase
  wide: u32,
  patches: u32,      // N * high * wide
  groups: u32,       // of output channels
  has_bias: u32,
}

alias X = f32;   // specialised: elements of x, of w and of y as they are stored; arithmetic is f32
alias W = f32;   // specialised
alias Y = f32;   // specialised

@group(0) @binding(0) var<storage, read> x: array<X>;           // [N, h, w, c_in], pitched
@group(0) @binding(1) var<storage, read> w: array<W>;           // [r, s, c_in, c_out], or as `transposed` says
@group(0) @binding(2) var<storage, read> bias: array<f32>;      // [c_out]
@group(0) @binding(3) var<storage, read_write> y: array<Y>;     // [N, oh, ow, c_out], pitched
@group(0) @binding(4) var<uniform> p: Params;

// The output pixel of a phase's, counted through all images.
fn pixel_of(image: u32, row: u32, column: u32, phase: vec2<u32>) -> u32 {
  return ((image * p.grid_h + row) * p.upsample + phase.y) * p.grid_w * p.upsample + column * p.upsample + phase.x;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = index_1d(group, groups, local);
  let phase = vec2<u32>(group.z % p.upsample, group.z / p.upsample);
  var patch_index = i / p.groups;   // neighbouring threads share a patch, and so are idle together where none is needed
  var needed = p.patches;
  if (ORDERED) { needed = u32(mask[0]); }
  if (patch_index >= needed) { return; }
  if (ORDERED) { patch_index = u32(mask[1u + patch_index]); }
  // Told at run time, so that the compiler keeps as loops what is not hot: unrolled, a composition compiled three times as long.
  let pixels = PIXELS * min(p.groups, 1u);
  let channels = CHANNELS * min(p.groups, 1u);
  let first_channel = i % p.groups * CHANNELS;
  let image = patch_index / (p.high * p.wide);
  let row0 = patch_index / p.wide % p.high * SIDE;
  let column0 = patch_index % p.wide * SIDE;

  var taps = p.kernel_h * p.kernel_w;
  if (COMPOSES) {
    // Where the mask is 0 the sum has no say.
    var covered = 0.0;
    for (var k = 0u; k < pixels; k++) {
      let pixel = pixel_of(image, min(row0 + k / SIDE, p.grid_h - 1u), min(column0 + k % SIDE, p.grid_w - 1u), phase);
      covered = max(covered, abs(mask[pixel * ep.mask_pitch + ep.mask_offset]));
    }
    if (covered == 0.0) { taps = 0u; }
  }

  var weight_index: array<u32, CHANNELS>;
  for (var o = 0u; o < CHANNELS; o++) { // @unroll
    weight_index[o] = min(first_channel + o, p.c_out - 1u) * select(1u, p.c_in, p.transposed == 1u);
  }
  let weight_step = select(p.c_out, 1u, p.transposed == 1u);

  // The sums stay in memory, where a loop may index them.
  var sums: array<f32, PIXELS * CHANNELS>;
  for (var tap = 0u; tap < taps; tap++) {
    let r = tap / p.kernel_w;
    let s = tap % p.kernel_w;
    var x_index: array<u32, PIXELS>;
    var inside: array<bool, PIXELS>;
    for (var k = 0u; k < PIXELS; k++) { // @unroll
      let row = (row0 + k / SIDE) * p.stride + phase.y + r - p.pad;   // wraps to a huge number above the image
      let column = (column0 + k % SIDE) * p.stride + phase.x + s - p.pad;
      inside[k] = row < p.h && column < p.w;
      x_index[k] = ((image * p.h + min(row, p.h - 1u)) * p.w + min(column, p.w - 1u)) * p.x_pitch + p.x_offset;
    }
    var weight_base = tap * p.c_in * p.c_out;
    if (p.transposed == 1u) {
      let weight_row = (p.kernel_h - r) * p.upsample - 1u - phase.y;
      let weight_column = (p.kernel_w - s) * p.upsample - 1u - phase.x;
      weight_base = (weight_row * p.kernel_w * p.upsample + weight_column) * p.c_in * p.c_out;
    }
    for (var c = 0u; c < p.c_in; c++) {
      let scale = gate_of(image, c);
      var value: array<f32, PIXELS>;
      for (var k = 0u; k < PIXELS; k++) { // @unroll
        var v = select(0.0, f32(x[x_index[k] + c]), inside[k]);
        if (RELU_INPUT) { v = max(v, 0.0); }
        if (GATED) { v *= scale; }
        value[k] = v;
      }
      for (var o = 0u; o < CHANNELS; o++) { // @unroll
        let weight = f32(w[weight_base + weight_index[o] + c * weight_step]);
        for (var k = 0u; k < PIXELS; k++) { // @unroll
          sums[k * CHANNELS + o] += value[k] * weight;
        }
      }
    }
  }

  for (var k = 0u; k < pixels; k++) {
    let row = row0 + k / SIDE;
    let column = column0 + k % SIDE;
    let pixel = pixel_of(image, row, column, phase);
    for (var o = 0u; o < channels; o++) {
      let channel = first_channel + o;
      if (row < p.grid_h && column < p.grid_w && channel < p.c_out) {
        var value = sums[k * CHANNELS + o];
        if (p.has_bias == 1u) { value += bias[channel]; }
        y[pixel * p.y_pitch + p.y_offset + channel] = Y(epilogue(value, image, pixel, channel));
      }
    }
  }
}
