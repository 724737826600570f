// The three channel gates of an S2AM from one pooling, sigmoid(W2 relu(W1 [average, maximum] + b1) + b2), in one dispatch:
// a workgroup an image and gate joins the rows that global_pool_rows.wgsl left, then runs both layers. Three barriers in
// all, which even adapters bear whose barriers are dear. So few threads have nothing to do while they wait for a load, so each
// sends AHEAD of them on their way before it adds them up, in the order that it would have one by one.
// use lib/packed_gates
// use lib/activation
const THREADS: u32 = 64u;     // specialised
const POOLED: u32 = 2048u;    // specialised: at least 2 c
const AHEAD: u32 = 8u;

struct Params {
  h: u32,              // rows of pixels
  pixels: u32,         // of an image
  c: u32,
  hidden: u32,         // units of a gate, THREADS at most
  foreground_pitch: u32,
  foreground_offset: u32,
  composing_pitch: u32,
  composing_offset: u32,
  pooled_pitch: u32,
  pooled_offset: u32,
  units_pitch: u32,
  units_offset: u32,
  first_pitch: u32,
  first_offset: u32,
  w: u32,              // pixels of a row
}

@group(0) @binding(0) var<storage, read> partial: array<f32>;            // [N, h, 3, c]: sums, maxima, columns
@group(0) @binding(1) var<storage, read> weights: array<f32>;            // packed
@group(0) @binding(2) var<storage, read_write> foreground: array<f32>;   // [N, c], pitched
@group(0) @binding(3) var<storage, read_write> composing: array<f32>;    // [N, 2 c], pitched: mix, background
@group(0) @binding(4) var<storage, read_write> pooled: array<f32>;       // [N, 2 c], pitched: averages, maxima
@group(0) @binding(5) var<storage, read_write> units: array<f32>;        // [N, 3 hidden], pitched
@group(0) @binding(6) var<storage, read_write> first: array<f32>;        // [N, c], pitched: the pixel of each maximum
@group(0) @binding(7) var<uniform> p: Params;

var<workgroup> seen: array<f32, POOLED>;       // averages, maxima
var<workgroup> parts: array<f32, THREADS>;     // sums of a unit's parts
var<workgroup> active_units: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let gate = group.x;
  let n = group.y;
  let at = packed_gate(gate, p.c, p.hidden);
  for (var c = thread; c < p.c; c += THREADS) {
    var sum = 0.0;
    var largest = partial[(3u * n * p.h + 1u) * p.c + c];
    var row = 0u;
    for (var h = 0u; h < p.h; h += AHEAD) {
      var sums: array<f32, AHEAD>;
      var maxima: array<f32, AHEAD>;
      for (var i = 0u; i < AHEAD; i++) { // @unroll
        let place = 3u * (n * p.h + min(h + i, p.h - 1u)) * p.c + c;
        sums[i] = partial[place];
        maxima[i] = partial[place + p.c];
      }
      for (var i = 0u; i < AHEAD; i++) { // @unroll
        if (h + i < p.h) { sum += sums[i]; }
        if (maxima[i] > largest) {   // never by a row that is read again past the last
          largest = maxima[i];
          row = h + i;
        }
      }
    }
    seen[c] = sum / f32(p.pixels);
    seen[p.c + c] = largest;
    if (gate == 0u) {
      pooled[n * p.pooled_pitch + p.pooled_offset + c] = seen[c];
      pooled[n * p.pooled_pitch + p.pooled_offset + p.c + c] = largest;
      let column = u32(partial[(3u * (n * p.h + row) + 2u) * p.c + c]);
      first[n * p.first_pitch + p.first_offset + c] = f32(row * p.w + column);
    }
  }
  workgroupBarrier();

  // A unit's sum in as many parts as there are threads for.
  let count = THREADS / p.hidden;
  var sum = 0.0;
  if (thread < count * p.hidden) {
    for (var k = thread / p.hidden; k < 2u * p.c; k += AHEAD * count) {
      var loaded: array<f32, AHEAD>;
      for (var i = 0u; i < AHEAD; i++) { // @unroll
        loaded[i] = weights[at.w1 + min(k + i * count, 2u * p.c - 1u) * p.hidden + thread % p.hidden];
      }
      for (var i = 0u; i < AHEAD; i++) { // @unroll
        if (k + i * count < 2u * p.c) { sum += seen[k + i * count] * loaded[i]; }
      }
    }
  }
  parts[thread] = sum;
  workgroupBarrier();
  if (thread < p.hidden) {
    sum = weights[at.b1 + thread];
    for (var part = 0u; part < count; part++) { sum += parts[part * p.hidden + thread]; }
    active_units[thread] = max(sum, 0.0);
    units[n * p.units_pitch + p.units_offset + gate * p.hidden + thread] = active_units[thread];
  }
  workgroupBarrier();

  for (var c = thread; c < p.c; c += THREADS) {
    var total = weights[at.b2 + c];
    for (var unit = 0u; unit < p.hidden; unit += AHEAD) {
      var loaded: array<f32, AHEAD>;
      for (var i = 0u; i < AHEAD; i++) { // @unroll
        loaded[i] = weights[at.w2 + min(unit + i, p.hidden - 1u) * p.c + c];
      }
      for (var i = 0u; i < AHEAD; i++) { // @unroll
        if (unit + i < p.hidden) { total += active_units[unit + i] * loaded[i]; }
      }
    }
    let value = sigmoid(total);
    if (gate == 0u) {
      foreground[n * p.foreground_pitch + p.foreground_offset + c] = value;
    } else {
      composing[n * p.composing_pitch + p.composing_offset + (gate - 1u) * p.c + c] = value;
    }
  }
}
