/**
 * What a fit of colours needs to know of pixels: weighted sums of their colours, of the network's changes, and of the
 * products of both. Sums over windows give local fits, sums over a picture a global one, sums over frames one for a shot.
 */
import type { FloatImage } from "./float.js";

/** A transform is D, row by row, then c: change_i = sum_j D_ij x_j + c_i. */
export const TERMS = 12 as const;

/** With less foreground a window knows nothing: sums of float64 leave rests of this size. */
export const NO_WEIGHT = 1e-9;
/** Weighted sums a pixel: w, w x (3), w x x^T (6: rr rg rb gg gb bb), w change (3), w change x^T (9). */
export const MOMENTS = 22;

/** Makes the moments of each pixel, of the change less a given transform. */
export class MomentReader {
  private readonly leftover: Float64Array;

  constructor(
    private readonly input: FloatImage<3>,
    output: FloatImage<3>,
    private readonly sure: FloatImage<1>,
  ) {
    this.leftover = Float64Array.from(output.data, (value, i) => value - (input.data[i] as number));
  }

  /** Takes the transform's change away from what is to be fitted. */
  subtract(transform: Float64Array): void {
    const x = this.input.data;
    for (let s = 0; s < this.leftover.length; s += 3)
      for (let i = 0; i < 3; i++) {
        let change = transform[9 + i] as number;
        for (let j = 0; j < 3; j++) change += (transform[3 * i + j] as number) * (x[s + j] as number);
        this.leftover[s + i] = (this.leftover[s + i] as number) - change;
      }
  }

  readonly readRow = (y: number, row: Float64Array): void => {
    const { width, data } = this.input;
    for (let x = 0; x < width; x++) {
      const pixel = y * width + x;
      const w = this.sure.data[pixel] as number;
      const p = x * MOMENTS;
      row[p] = w;
      for (let i = 0, second = p + 4; i < 3; i++) {
        const wx = w * (data[3 * pixel + i] as number);
        const wd = w * (this.leftover[3 * pixel + i] as number);
        row[p + 1 + i] = wx;
        for (let j = i; j < 3; j++) row[second++] = wx * (data[3 * pixel + j] as number);
        row[p + 10 + i] = wd;
        for (let j = 0; j < 3; j++) row[p + 13 + 3 * i + j] = wd * (data[3 * pixel + j] as number);
      }
    }
  };

  /** The moments of the whole image. */
  total(): Float64Array {
    const { width, height } = this.input;
    const row = new Float64Array(width * MOMENTS);
    const sum = new Float64Array(MOMENTS);
    for (let y = 0; y < height; y++) {
      this.readRow(y, row);
      for (let i = 0; i < row.length; i++) sum[i % MOMENTS] = (sum[i % MOMENTS] as number) + (row[i] as number);
    }
    return sum;
  }
}

/**
 * The ridge regression of change on colour from the moments at `at`, as D and c of change = D x + c.
 * @returns the weight of the window; 0 (and a zero transform) where there is no foreground.
 */
export function solveTransform(moments: Float64Array, at: number, epsilon: number, transform: Float64Array): number {
  const weight = moments[at] as number;
  transform.fill(0);
  if (!(weight > NO_WEIGHT)) return 0;
  const m = (k: number): number => (moments[at + k] as number) / weight;
  const [xr, xg, xb] = [m(1), m(2), m(3)];
  const rr = m(4) - xr * xr + epsilon;
  const rg = m(5) - xr * xg;
  const rb = m(6) - xr * xb;
  const gg = m(7) - xg * xg + epsilon;
  const gb = m(8) - xg * xb;
  const bb = m(9) - xb * xb + epsilon;
  // The inverse of a symmetric 3x3 matrix, by cofactors; positive definite thanks to epsilon.
  const c0 = gg * bb - gb * gb;
  const c1 = rb * gb - rg * bb;
  const c2 = rg * gb - rb * gg;
  const scale = 1 / (rr * c0 + rg * c1 + rb * c2);
  const c3 = rr * bb - rb * rb;
  const c4 = rg * rb - rr * gb;
  const c5 = rr * gg - rg * rg;
  for (let i = 0; i < 3; i++) {
    const mean = m(10 + i);
    const kr = m(13 + 3 * i) - mean * xr;
    const kg = m(14 + 3 * i) - mean * xg;
    const kb = m(15 + 3 * i) - mean * xb;
    const dr = scale * (kr * c0 + kg * c1 + kb * c2);
    const dg = scale * (kr * c1 + kg * c3 + kb * c4);
    const db = scale * (kr * c2 + kg * c4 + kb * c5);
    transform[3 * i] = dr;
    transform[3 * i + 1] = dg;
    transform[3 * i + 2] = db;
    transform[9 + i] = mean - dr * xr - dg * xg - db * xb;
  }
  return weight;
}
