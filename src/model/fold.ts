/** Evaluation-mode batch norm as a scale and a shift, for folding into the convolution before it. */

export const BATCH_NORM_EPS = 1e-5;

export const NORM_PARTS = ["weight", "bias", "running_mean", "running_var"] as const;

/** y = scale * x + shift, a channel each; in float64 until the end. @param parts as `NORM_PARTS` names them */
export function foldedNorm(parts: readonly Float32Array[]): { scale: Float64Array; shift: Float32Array } {
  const [weight = [], bias = [], mean = [], variance = []] = parts;
  const scale = Float64Array.from(weight, (gamma, c) => gamma / Math.sqrt((variance[c] ?? 0) + BATCH_NORM_EPS));
  const shift = Float32Array.from(bias, (beta, c) => beta - (mean[c] ?? 0) * (scale[c] ?? 0));
  return { scale, shift };
}
