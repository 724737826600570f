/** Whether a composite is worth learning from: what the field filters out by hand, by numbers. */

export interface Measures {
  /** Of the picture that the mask covers. */
  readonly share: number;
  /** Root of the mean squared change of the region, 0 to 255. */
  readonly rmse: number;
  /** Of the region's samples that came to lie at black or white and did not before. */
  readonly clipped: number;
  /** The region's contrast (deviation of its luminance) after, over before. */
  readonly contrast: number;
}

export const REJECTIONS = [
  "mask too small",
  "mask too large",
  "barely changed",
  "too strong",
  "clipped",
  "flattened",
] as const;
export type Rejection = (typeof REJECTIONS)[number];

export const LIMITS = { leastRmse: 5, mostRmse: 70, mostClipped: 0.08, leastContrast: 0.3 } as const;

/** A region flatter than this, on 0 to 255, cannot be flattened much. */
const FLAT = 6;
/** Where the mask is at least this, 0 to 255, a pixel is the region's. */
export const INSIDE = 128;

/**
 * @param natural interleaved RGB, 8 bits
 * @param mask 0 to 255, a pixel each
 */
export function measure(natural: Uint8Array, composite: Uint8Array, mask: Uint8Array): Measures {
  let [count, square, clipped] = [0, 0, 0];
  const before = new Deviation();
  const after = new Deviation();
  let covered = 0;
  for (let i = 0, p = 0; i < mask.length; i++, p += 3) {
    covered += mask[i] as number;
    if ((mask[i] as number) < INSIDE) continue;
    count++;
    for (let c = 0; c < 3; c++) {
      const [a, b] = [natural[p + c] as number, composite[p + c] as number];
      square += (a - b) * (a - b);
      if ((b <= 1 && a > 1) || (b >= 254 && a < 254)) clipped++;
    }
    before.add(natural, p);
    after.add(composite, p);
  }
  return {
    share: covered / (255 * mask.length),
    rmse: count === 0 ? 0 : Math.sqrt(square / (3 * count)),
    clipped: count === 0 ? 0 : clipped / (3 * count),
    contrast: (after.value(count) + FLAT) / (before.value(count) + FLAT),
  };
}

class Deviation {
  private sum = 0;
  private squares = 0;

  add(pixels: Uint8Array, p: number): void {
    const y = 0.299 * (pixels[p] as number) + 0.587 * (pixels[p + 1] as number) + 0.114 * (pixels[p + 2] as number);
    this.sum += y;
    this.squares += y * y;
  }

  value(count: number): number {
    return count === 0 ? 0 : Math.sqrt(Math.max(0, this.squares / count - (this.sum / count) ** 2));
  }
}

/**
 * Null where nothing is wrong with it.
 * @param leastRmse of the region, 0 to 255; below it there is nothing to learn but to leave it
 */
export function judge(
  measures: Measures,
  leastShare: number,
  mostShare: number,
  leastRmse: number = LIMITS.leastRmse,
): Rejection | null {
  const { share, rmse, clipped, contrast } = measures;
  if (share < leastShare) return "mask too small";
  if (share > mostShare) return "mask too large";
  if (rmse < leastRmse) return "barely changed";
  if (rmse > LIMITS.mostRmse) return "too strong";
  if (clipped > LIMITS.mostClipped) return "clipped";
  return contrast < LIMITS.leastContrast ? "flattened" : null;
}
