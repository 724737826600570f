// Squared error and foreground of each image, second pass: one workgroup adds the parts of image after image.
// use lib/workgroup_sum
struct Params {
  images: u32,
  parts: u32,        // an image
  c: u32,
  min_area: f32,
  knee: f32,         // 0, or where an image's error begins to count by its logarithm
  loss_offset: u32,
  weight_offset: u32,
}

@group(0) @binding(0) var<storage, read> partial: array<vec2<f32>>;     // [images, parts]
@group(0) @binding(1) var<storage, read_write> loss: array<f32>;        // [1]
@group(0) @binding(2) var<storage, read_write> weight: array<f32>;      // [images]: the loss's derivative by an image's sum
@group(0) @binding(3) var<uniform> p: Params;

// ln(1 + x) for x from 0: near 0 by the series of 2 artanh, for 1 + x would round x away.
fn log_1p(x: f32) -> f32 {
  let s = x / (2.0 + x);
  let square = s * s;
  return select(log(1.0 + x), 2.0 * s * (1.0 + square * (1.0 / 3.0 + square * 0.2)), x < 0.25);
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
  var total = 0.0;
  for (var image = 0u; image < p.images; image++) {
    var addend = vec2<f32>(0.0);
    for (var i = local; i < p.parts; i += 64u) { addend += partial[image * p.parts + i]; }
    let sum = workgroup_sum(addend, local);
    let share = 1.0 / (f32(p.c) * max(p.min_area, sum.y));
    let error = share * sum.x;
    var slope = 1.0 / f32(p.images);
    if (p.knee > 0.0) {
      total += p.knee * log_1p(error / p.knee);
      slope /= 1.0 + error / p.knee;
    } else {
      total += error;
    }
    if (local == 0u) { weight[p.weight_offset + image] = share * slope; }
  }
  if (local == 0u) { loss[p.loss_offset] = total / f32(p.images); }
}
