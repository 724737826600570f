/** The blur's kernels. */

/** `code`: the published code's 5 x 5. `paper`: 7 x 7. */
export type BlurKernel = "code" | "paper";

export const BLUR_RADIUS: Readonly<Record<BlurKernel, number>> = { code: 2, paper: 3 };

/**
 * One axis of the kernel by distance from its centre: exp(-(d / 2)^2), a sigma of sqrt 2, normalised. The paper gives a
 * size and no sigma; the published code's formula takes any size, so `paper` is that formula at seven taps (which is
 * also, to 1 %, the sigma of 1.4 that OpenCV takes for seven).
 */
export function blurTaps(kernel: BlurKernel): number[] {
  const radius = BLUR_RADIUS[kernel];
  const taps = Array.from({ length: radius + 1 }, (_, d) => Math.exp(-((d / 2) ** 2)));
  const sum = taps.reduce((total, tap, d) => total + (d === 0 ? tap : 2 * tap), 0);
  return taps.map((tap) => tap / sum);
}
