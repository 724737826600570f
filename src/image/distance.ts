/**
 * Exact Euclidean distance transform in linear time: Felzenszwalb & Huttenlocher, "Distance Transforms of Sampled
 * Functions" (2012). Squared distances down the columns first; then, along each row, the lower envelope of the
 * parabolas that stand on them.
 */

/** Stands for "nothing above or below"; its square still fits a float64 exactly and a float32 roughly. */
const FAR = 1e7;

/**
 * The distance, in pixels between centres, from every pixel to the nearest pixel whose value is 0; Infinity where there
 * is none. The image's border does not count as zero.
 */
export function distanceToZero(data: ArrayLike<number>, width: number, height: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(width * height);
  // Rows are visited in order, all columns side by side: the memory's order.
  for (let x = 0; x < width; x++) out[x] = data[x] === 0 ? 0 : FAR;
  for (let i = width; i < out.length; i++) out[i] = data[i] === 0 ? 0 : Math.min(FAR, (out[i - width] as number) + 1);
  for (let i = out.length - width - 1; i >= 0; i--) {
    const below = (out[i + width] as number) + 1;
    if (below < (out[i] as number)) out[i] = below;
  }

  const site = new Int32Array(width); // where the envelope's parabolas stand
  const from = new Float64Array(width + 1); // where each begins to be the lowest
  const height2 = new Float64Array(width); // their heights: squared vertical distances
  for (let y = 0; y < height; y++) {
    const row = out.subarray(y * width, (y + 1) * width);
    let last = -1;
    for (let x = 0; x < width; x++) {
      const vertical = row[x] as number;
      if (vertical >= FAR) continue;
      const h = vertical * vertical;
      let start = -Infinity;
      while (last >= 0) {
        const other = site[last] as number;
        start = (h + x * x - (height2[last] as number) - other * other) / (2 * (x - other));
        if (start > (from[last] as number)) break;
        last--;
        start = -Infinity;
      }
      last++;
      site[last] = x;
      height2[last] = h;
      from[last] = start;
    }
    if (last < 0) {
      row.fill(Infinity);
      continue;
    }
    from[last + 1] = Infinity;
    for (let x = 0, k = 0; x < width; x++) {
      while ((from[k + 1] as number) < x) k++;
      const dx = x - (site[k] as number);
      row[x] = Math.sqrt(dx * dx + (height2[k] as number));
    }
  }
  return out;
}
