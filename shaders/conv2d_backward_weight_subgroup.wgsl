// Weight gradient of a convolution for software adapters with subgroups. There every element loaded costs a few
// multiply-adds, whatever its address, and a barrier costs far more, so nothing goes through workgroup memory: a subgroup
// owns GROUPS x LANES rows of dw (a kernel row r and an input channel c each, one a lane) with all S kernel columns, by
// CHANNELS output channels, and sums over the pixels of its slice. Along a row of pixels the S taps look at a sliding
// window, so that a pixel of x is loaded once for all of them; a load of dy brings LANES values, one a lane, and each is
// broadcast from there to meet GROUPS x S registers.
//
// A slice is a range of the N * oh rows of dy. Each writes its own dw; conv2d_backward_weight_join.wgsl sums
// them in order.
enable subgroups;

const LANES: u32 = 8u;       // specialised: the adapter's subgroup size
const GROUPS: u32 = 2u;      // specialised: rows (r, c) a lane
const S: u32 = 3u;           // specialised: kernel columns
const STRIDE: u32 = 1u;      // specialised
const KEPT: u32 = 2u;        // specialised: S - STRIDE or 0, columns of the window that stay for the next pixels
const CHANNELS: u32 = 32u;   // specialised: output channels of a tile
const DEPTH: u32 = 2u;       // specialised: pixels a step; DEPTH * CHANNELS is a multiple of LANES
const COLUMNS: u32 = (DEPTH - 1u) * STRIDE + S;
const WINDOW: u32 = GROUPS * COLUMNS;
const DY_LOADS: u32 = DEPTH * CHANNELS / LANES;

override RELU_DY: bool;

struct Params {
  h: u32,           // x
  w: u32,
  c_in: u32,
  x_pitch: u32,
  x_offset: u32,
  oh: u32,          // dy
  ow: u32,
  c_out: u32,
  dy_pitch: u32,
  dy_offset: u32,
  kernel_rows: u32,
  pad: u32,
  rows: u32,        // N * oh
  slice_rows: u32,
  steps: u32,       // ceil(ow / DEPTH)
}

@group(0) @binding(0) var<storage, read> x: array<f32>;          // [N, h, w, c_in], pitched
@group(0) @binding(1) var<storage, read> dy: array<f32>;         // [N, oh, ow, c_out], pitched
@group(0) @binding(2) var<storage, read_write> dw: array<f32>;   // [slices, kernel_rows, S, c_in, c_out]
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  let channel0 = group.y * CHANNELS;
  var kernel_row: array<u32, GROUPS>;
  var channel: array<u32, GROUPS>;
  for (var g = 0u; g < GROUPS; g++) { // @unroll
    let rc = (group.x * GROUPS + g) * LANES + lane;
    kernel_row[g] = min(rc / p.c_in, p.kernel_rows - 1u);
    channel[g] = rc % p.c_in;
  }

  var dy_place: array<u32, DY_LOADS>;
  var dy_inside: array<bool, DY_LOADS>;
  for (var j = 0u; j < DY_LOADS; j++) { // @unroll
    let k = channel0 + (j * LANES + lane) % CHANNELS;
    dy_place[j] = (j * LANES + lane) / CHANNELS * p.dy_pitch + min(k, p.c_out - 1u);
    dy_inside[j] = k < p.c_out;
  }

  // The sums stay in memory, where a loop may index them: each visits a register once a step, for DEPTH products.
  var sum: array<f32, GROUPS * S * CHANNELS>;
  let row0 = group.z * p.slice_rows;
  let rows = min(p.slice_rows, p.rows - row0);
  for (var i = 0u; i < rows; i++) {
    let row = row0 + i;
    let dy_row = row * p.ow * p.dy_pitch + p.dy_offset;
    let dy_end = dy_row + (p.ow - 1u) * p.dy_pitch + p.c_out - 1u;
    var x_row: array<u32, GROUPS>;
    var row_inside: array<bool, GROUPS>;
    var window: array<f32, WINDOW>;
    for (var g = 0u; g < GROUPS; g++) { // @unroll
      let ih = row % p.oh * STRIDE + kernel_row[g] - p.pad;   // wraps to a huge number above the image
      row_inside[g] = ih < p.h;
      x_row[g] = (row / p.oh * p.h + min(ih, p.h - 1u)) * p.w * p.x_pitch + p.x_offset + channel[g];
      for (var j = 0u; j < KEPT; j++) { // @unroll
        let iw = j - p.pad;
        window[g * COLUMNS + j] = select(0.0, x[x_row[g] + min(iw, p.w - 1u) * p.x_pitch], row_inside[g] && iw < p.w);
      }
    }
    for (var step = 0u; step < p.steps; step++) {
      for (var j = KEPT; j < COLUMNS; j++) { // @unroll
        let iw = step * (DEPTH * STRIDE) + j - p.pad;
        let place = min(iw, p.w - 1u) * p.x_pitch;
        for (var g = 0u; g < GROUPS; g++) { // @unroll
          window[g * COLUMNS + j] = select(0.0, x[x_row[g] + place], row_inside[g] && iw < p.w);
        }
      }
      var gradients: array<f32, DY_LOADS>;
      for (var j = 0u; j < DY_LOADS; j++) { // @unroll
        let exists = dy_inside[j] && step * DEPTH + (j * LANES + lane) / CHANNELS < p.ow;
        let value = select(0.0, dy[min(dy_row + step * DEPTH * p.dy_pitch + dy_place[j], dy_end)], exists);
        if (RELU_DY) { gradients[j] = max(value, 0.0); } else { gradients[j] = value; }
      }
      for (var o = 0u; o < CHANNELS; o++) { // @unroll
        var gradient: array<f32, DEPTH>;
        for (var d = 0u; d < DEPTH; d++) { // @unroll
          gradient[d] = subgroupBroadcast(gradients[(d * CHANNELS + o) / LANES], (d * CHANNELS + o) % LANES);
        }
        for (var g = 0u; g < GROUPS; g++) { // @unroll
          for (var s = 0u; s < S; s++) { // @unroll
            var total = sum[(o * GROUPS + g) * S + s];
            for (var d = 0u; d < DEPTH; d++) { // @unroll
              total += window[g * COLUMNS + d * STRIDE + s] * gradient[d];
            }
            sum[(o * GROUPS + g) * S + s] = total;
          }
        }
      }
      for (var g = 0u; g < GROUPS; g++) { // @unroll
        for (var j = 0u; j < KEPT; j++) { // @unroll
          window[g * COLUMNS + j] = window[g * COLUMNS + j + DEPTH * STRIDE];
        }
      }
    }
  }

  for (var g = 0u; g < GROUPS; g++) {
    let rc = (group.x * GROUPS + g) * LANES + lane;
    for (var o = 0u; o < CHANNELS; o++) {
      for (var s = 0u; s < S; s++) {
        let k = channel0 + o;
        if (rc < p.kernel_rows * p.c_in && k < p.c_out) {
          let tap = (group.z * p.kernel_rows + rc / p.c_in) * S + s;
          dw[(tap * p.c_in + rc % p.c_in) * p.c_out + k] = sum[(o * GROUPS + g) * S + s];
        }
      }
    }
  }
}
