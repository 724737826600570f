/**
 * What photographers do to a picture. All but saturation work on each channel by itself, so that a chain of them is three
 * tables between two mixtures of channels. Values are 0 to 1 on the display's scale (sRGB).
 */

export type Adjustment =
  /** The light, in stops. */
  | { readonly kind: "exposure"; readonly stops: number }
  /** Stops between red and blue, and of green against both. */
  | { readonly kind: "white balance"; readonly temperature: number; readonly tint: number }
  /** A factor on the display's scale, as in image editors. */
  | { readonly kind: "brightness"; readonly factor: number }
  /** A factor of the distance to `pivot`. */
  | { readonly kind: "contrast"; readonly factor: number; readonly pivot: number }
  | { readonly kind: "gamma"; readonly exponent: number }
  /** A factor and an exponent for each of red, green and blue: a camera's or a film's own response. */
  | { readonly kind: "response"; readonly factors: Triple; readonly exponents: Triple }
  /** A share of airlight is added and as much of everything else taken away; below 0, haze is lifted. */
  | { readonly kind: "haze"; readonly share: number; readonly light: Triple }
  /** A smooth rising curve through 0, 1 and values at 1/4, 1/2, 3/4; of all channels, or of each. */
  | { readonly kind: "curve"; readonly values: readonly (readonly [number, number, number])[] }
  /** A factor of the distance to the pixel's gray. */
  | { readonly kind: "saturation"; readonly factor: number };

type Triple = readonly [number, number, number];

const STEPS = 1024;

type Curve = (value: number) => number;

/** @param pixels interleaved RGB, 0 to 255. @returns new ones, 0 to 255 and not rounded */
export function adjust(pixels: Float32Array, adjustments: readonly Adjustment[]): Float32Array {
  const out = pixels.slice();
  let curves: Curve[] | null = null;
  const flush = (): void => {
    if (curves) throughTables(out, curves.map(tableOf));
    curves = null;
  };
  for (const adjustment of adjustments) {
    if (adjustment.kind === "saturation") {
      flush();
      saturate(out, adjustment.factor);
      continue;
    }
    const before: readonly Curve[] = curves ?? [same, same, same];
    const next = curvesOf(adjustment);
    curves = before.map((curve, c) => (value) => (next[c] as Curve)(curve(value)));
  }
  flush();
  return out;
}

const same: Curve = (value) => value;
const clamp = (value: number): number => Math.min(1, Math.max(0, value));

const toLinear = (v: number): number => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const toDisplay = (v: number): number => (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055);

function curvesOf(adjustment: Exclude<Adjustment, { kind: "saturation" }>): readonly Curve[] {
  const all = (curve: Curve): readonly Curve[] => [curve, curve, curve];
  const light = (stops: number): Curve => {
    const gain = 2 ** stops;
    return (value) => toDisplay(clamp(gain * toLinear(value)));
  };
  switch (adjustment.kind) {
    case "exposure":
      return all(light(adjustment.stops));
    case "white balance": {
      const { temperature, tint } = adjustment;
      return [light(temperature / 2), light(-tint / 2), light(-temperature / 2)];
    }
    case "brightness":
      return all((value) => clamp(value * adjustment.factor));
    case "contrast": {
      const { factor, pivot } = adjustment;
      return all((value) => clamp(pivot + (value - pivot) * factor));
    }
    case "gamma":
      return all((value) => value ** adjustment.exponent);
    case "response":
      return adjustment.factors.map((factor, c) => {
        const exponent = adjustment.exponents[c] as number;
        return (value) => clamp(factor * value ** exponent);
      });
    case "haze": {
      const { share, light } = adjustment;
      return light.map((air) => (value) => clamp(value + share * (air - value)));
    }
    case "curve": {
      const curves = adjustment.values.map((values) => smoothCurve([0, ...values, 1]));
      return curves.length === 3 ? curves : all(curves[0] ?? same);
    }
  }
}

/** Through values at equal distances from 0 to 1, without overshoot (Fritsch and Carlson's limit of the slopes). */
export function smoothCurve(values: readonly number[]): Curve {
  const last = values.length - 1;
  const at = (i: number): number => values[Math.min(last, Math.max(0, i))] as number;
  const rise = (i: number): number => (i < 0 || i >= last ? 0 : at(i + 1) - at(i));
  const slope = (i: number): number => {
    const [before, after] = [i === 0 ? rise(0) : rise(i - 1), i === last ? rise(last - 1) : rise(i)];
    if (before * after <= 0) return 0;
    return Math.sign(before) * Math.min(Math.abs(before + after) / 2, 3 * Math.abs(before), 3 * Math.abs(after));
  };
  return (value) => {
    const place = clamp(value) * last;
    const i = Math.min(last - 1, Math.floor(place));
    const t = place - i;
    const u = 1 - t;
    const [ya, yb] = [at(i), at(i + 1)];
    return u * u * (1 + 2 * t) * ya + u * u * t * slope(i) + t * t * (3 - 2 * t) * yb - t * t * u * slope(i + 1);
  };
}

const tableOf = (curve: Curve): Float64Array =>
  Float64Array.from({ length: STEPS + 2 }, (_, i) => 255 * curve(Math.min(1, i / STEPS)));

function throughTables(pixels: Float32Array, tables: readonly Float64Array[]): void {
  tables.forEach((table, c) => {
    for (let p = c; p < pixels.length; p += 3) {
      const place = (clamp255(pixels[p] as number) / 255) * STEPS;
      const i = Math.floor(place);
      const low = table[i] as number;
      pixels[p] = low + ((table[i + 1] as number) - low) * (place - i);
    }
  });
}

const clamp255 = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);

function saturate(pixels: Float32Array, factor: number): void {
  for (let p = 0; p < pixels.length; p += 3) {
    const [r, g, b] = [pixels[p] as number, pixels[p + 1] as number, pixels[p + 2] as number];
    const gray = 0.299 * r + 0.587 * g + 0.114 * b;
    pixels[p] = clamp255(gray + factor * (r - gray));
    pixels[p + 1] = clamp255(gray + factor * (g - gray));
    pixels[p + 2] = clamp255(gray + factor * (b - gray));
  }
}
