/** PyTorch's layouts of weights and the kernels'. */

const BLOCK = 16;

/** What a batch norm does to the channels of a convolution that it is folded into. */
export interface ChannelScale {
  readonly factors: ArrayLike<number>;
  /** 0: of the outer channels, 1: of the inner ones. */
  readonly axis: 0 | 1;
}

/**
 * [outer, inner, taps] to [taps, inner, outer]: a convolution's [C_out, C_in, R, S] to [R, S, C_in, C_out], a transposed
 * one's [C_in, C_out, R, S] to [R, S, C_out, C_in]. In blocks of `outer`, so that reads and writes run along cache lines.
 */
export function packConv(
  values: Float32Array,
  outer: number,
  inner: number,
  taps: number,
  scale?: ChannelScale,
): Float32Array {
  const packed = new Float32Array(values.length);
  for (let block = 0; block < outer; block += BLOCK) {
    const end = Math.min(outer, block + BLOCK);
    for (let i = 0; i < inner; i++) {
      for (let t = 0; t < taps; t++) {
        const row = (t * inner + i) * outer;
        for (let o = block; o < end; o++) {
          const factor = scale ? (scale.factors[scale.axis === 0 ? o : i] ?? 0) : 1;
          packed[row + o] = (values[(o * inner + i) * taps + t] ?? 0) * factor;
        }
      }
    }
  }
  return packed;
}

/** [taps, inner, outer] back to [outer, inner, taps]. */
export function unpackConv(packed: Float32Array, outer: number, inner: number, taps: number): Float32Array {
  const values = new Float32Array(packed.length);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      for (let t = 0; t < taps; t++) values[(o * inner + i) * taps + t] = packed[(t * inner + i) * outer + o] ?? 0;
    }
  }
  return values;
}

/** [rows, columns] to [columns, rows]. */
export function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) turned[c * rows + r] = values[r * columns + c] ?? 0;
  return turned;
}
