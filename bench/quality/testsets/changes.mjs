/**
 * Changes of colour of another make than src/data/synth's, so that what is measured on them is not what was trained on: nothing
 * here comes from there. Pixels are interleaved RGB, 0 to 255; every change returns new ones, not rounded.
 */

/** Numbers in [0, 1) (splitmix32). */
export function uniformFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

const between = (uniform, low, high) => low + (high - low) * uniform();
const clamp = (value) => Math.min(255, Math.max(0, value));

const eachPixel = (pixels, change) => {
  const out = new Float64Array(pixels.length);
  for (let p = 0; p < pixels.length; p += 3) {
    const [r, g, b] = change(pixels[p], pixels[p + 1], pixels[p + 2]);
    out[p] = clamp(r);
    out[p + 1] = clamp(g);
    out[p + 2] = clamp(b);
  }
  return out;
};

/** A gamma of 0.7 to 1.4 and a gain of 0.85 to 1.15 for each channel. */
function gammaAndGain(pixels, uniform) {
  const gammas = [0, 1, 2].map(() => between(uniform, 0.7, 1.4));
  const gains = [0, 1, 2].map(() => between(uniform, 0.85, 1.15));
  const one = (value, c) => 255 * gains[c] * (value / 255) ** gammas[c];
  return { pixels: eachPixel(pixels, (r, g, b) => [one(r, 0), one(g, 1), one(b, 2)]), numbers: { gammas, gains } };
}

/** Saturation, contrast about the region's mean luma, and brightness, by factors of 0.55 to 0.8 or 1.2 to 1.5. */
function factors(pixels, uniform) {
  const factor = () => (uniform() < 0.5 ? between(uniform, 0.55, 0.8) : between(uniform, 1.2, 1.5));
  const [saturation, contrast, brightness] = [factor(), factor(), factor()];
  const luma = (r, g, b) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
  let mean = 0;
  for (let p = 0; p < pixels.length; p += 3) mean += luma(pixels[p], pixels[p + 1], pixels[p + 2]);
  mean /= Math.max(1, pixels.length / 3);
  const changed = eachPixel(pixels, (...rgb) => {
    const y = luma(...rgb);
    return rgb.map((value) => brightness * (mean + contrast * (y + saturation * (value - y) - mean)));
  });
  return { pixels: changed, numbers: { saturation, contrast, brightness } };
}

const linear = (value) => (value <= 10.31475 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
const display = (value) => {
  const v = Math.max(0, value);
  return 255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);
};

/** sRGB's primaries and white, and Bradford's cones. */
const RGB_TO_XYZ = [0.4124564, 0.3575761, 0.1804375, 0.2126729, 0.7151522, 0.072175, 0.0193339, 0.119192, 0.9503041];
const BRADFORD = [0.8951, 0.2664, -0.1614, -0.7502, 1.7135, 0.0367, 0.0389, -0.0685, 1.0296];

const apply = (m, [x, y, z]) => [0, 3, 6].map((row) => m[row] * x + m[row + 1] * y + m[row + 2] * z);
const product = (a, b) =>
  [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => a[3 * i] * b[j] + a[3 * i + 1] * b[3 + j] + a[3 * i + 2] * b[6 + j]));
function inverse([a, b, c, d, e, f, g, h, i]) {
  const det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  return [
    e * i - f * h,
    c * h - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  ].map((value) => value / det);
}

/** The white of a black body, of luminance 1 (Kim's cubic fit of the Planckian locus, 1,667 to 25,000 kelvin). */
function planckianWhite(kelvin) {
  const t = 1000 / kelvin;
  const x =
    kelvin < 4000
      ? ((-0.2661239 * t - 0.234358) * t + 0.8776956) * t + 0.17991
      : ((-3.0258469 * t + 2.1070379) * t + 0.2226347) * t + 0.24039;
  const y =
    kelvin < 2222
      ? ((-1.1063814 * x - 1.3481102) * x + 2.18555832) * x - 0.20219683
      : kelvin < 4000
        ? ((-0.9549476 * x - 1.37418593) * x + 2.09137015) * x - 0.16748867
        : ((3.081758 * x - 5.8733867) * x + 3.75112997) * x - 0.37001483;
  return [x / y, 1, (1 - x - y) / y];
}

/** The light's colour temperature from 6,500 kelvin to one of 3,200 to 12,000, evenly in mired: von Kries in linear light. */
function temperature(pixels, uniform) {
  const kelvin = 1e6 / between(uniform, 1e6 / 12000, 1e6 / 3200);
  const cones = product(BRADFORD, RGB_TO_XYZ);
  const [from, to] = [6500, kelvin].map((light) => apply(BRADFORD, planckianWhite(light)));
  const scale = to.map((value, k) => value / from[k]);
  const diagonal = [scale[0], 0, 0, 0, scale[1], 0, 0, 0, scale[2]];
  const matrix = product(inverse(cones), product(diagonal, cones));
  const changed = eachPixel(pixels, (...rgb) => apply(matrix, rgb.map(linear)).map(display));
  return { pixels: changed, numbers: { kelvin } };
}

const WHITE = [0.95047, 1, 1.08883];
function toLab(...rgb) {
  const root = (t) => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27) * (t / 116) + 16 / 116);
  const [x, y, z] = apply(RGB_TO_XYZ, rgb.map(linear)).map((value, k) => root(value / WHITE[k]));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
const XYZ_TO_RGB = inverse(RGB_TO_XYZ);
function fromLab([l, a, b]) {
  const y = (l + 16) / 116;
  const cube = (t) => (t ** 3 > 216 / 24389 ? t ** 3 : (116 * t - 16) / (24389 / 27));
  return apply(
    XYZ_TO_RGB,
    [y + a / 500, y, y - b / 200].map((t, k) => WHITE[k] * cube(t)),
  ).map(display);
}

const labOf = (pixels) => {
  const out = [];
  for (let p = 0; p < pixels.length; p += 3) out.push(toLab(pixels[p], pixels[p + 1], pixels[p + 2]));
  return out;
};
function moments(values, c) {
  const mean = values.reduce((sum, value) => sum + value[c], 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value[c] - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(square) };
}

/** Means and deviations in CIELAB three to eight tenths of the way to those of another photograph. */
function reinhard(pixels, uniform, other) {
  const share = between(uniform, 0.3, 0.8);
  const [own, their] = [labOf(pixels), labOf(other)];
  const maps = [0, 1, 2].map((c) => {
    const [from, to] = [moments(own, c), moments(their, c)];
    const factor = Math.min(2.5, Math.max(0.4, to.deviation / Math.max(1e-3, from.deviation)));
    return (value) => value + share * (to.mean + factor * (value - from.mean) - value);
  });
  const changed = Float64Array.from(own.flatMap((lab) => fromLab(lab.map((value, c) => maps[c](value))).map(clamp)));
  return { pixels: changed, numbers: { share } };
}

/** Each channel's histogram three to eight tenths of the way to another photograph's, by sorted values. */
function histogram(pixels, uniform, other) {
  const share = between(uniform, 0.3, 0.8);
  const channel = (of, c) => of.filter((_, p) => p % 3 === c).sort((a, b) => a - b);
  const out = new Float64Array(pixels.length);
  for (let c = 0; c < 3; c++) {
    const [own, their] = [channel(Float64Array.from(pixels), c), channel(Float64Array.from(other), c)];
    // The mean over equal values of what they are mapped to, so that equal pixels stay equal; smoothed against grain.
    const sums = new Float64Array(256);
    const counts = new Float64Array(256);
    own.forEach((value, rank) => {
      sums[value] += their[Math.floor(((rank + 0.5) * their.length) / own.length)];
      counts[value]++;
    });
    const table = smoothed(sums, counts);
    for (let p = c; p < pixels.length; p += 3) out[p] = clamp(pixels[p] + share * (table[pixels[p]] - pixels[p]));
  }
  return { pixels: out, numbers: { share } };
}

/** Means over values within 6 of each. */
function smoothed(sums, counts) {
  return Float64Array.from(sums, (_, value) => {
    let [sum, count] = [0, 0];
    for (let near = Math.max(0, value - 6); near <= Math.min(255, value + 6); near++) {
      sum += sums[near];
      count += counts[near];
    }
    return count > 0 ? sum / count : value;
  });
}

/** (pixels, uniform, pixels of another photograph) to { pixels, numbers } */
export const CHANGES = { "gamma and gain": gammaAndGain, temperature, reinhard, histogram, factors };
