/**
 * IEEE binary16 to and from float32, in bulk: Node 20 and half of today's browsers have no Float16Array.
 * Both directions are exact to the bit, subnormals, infinities and NaN payloads included.
 */

/** Half-precision bit patterns to the float32 values they stand for; always exact. */
export function float16ToFloat32(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i] ?? 0;
    const sign = (half & 0x8000) << 16;
    const rest = (half & 0x7fff) << 13;
    if (rest >= 0x0f800000) {
      bits[i] = sign | 0x7f800000 | rest;
    } else {
      // Fraction and exponent sit where float32 has them, so only the bias is off, by 127 - 15. Multiplying mends it
      // for normals and subnormals alike.
      bits[i] = rest;
      values[i] = (values[i] ?? 0) * 2 ** 112;
      bits[i] = (bits[i] ?? 0) | sign;
    }
  }
  return values;
}

/** Float32 values to half-precision bit patterns: nearest, ties to even; overflow gives an infinity. */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  const halves = new Uint16Array(values.length);
  const scratch = new Float32Array(1);
  const scratchBits = new Uint32Array(scratch.buffer);
  for (let i = 0; i < values.length; i++) {
    scratch[0] = values[i] ?? 0;
    const word = scratchBits[0] ?? 0;
    const sign = (word >>> 16) & 0x8000;
    const abs = word & 0x7fffffff;
    if (abs > 0x7f800000) {
      halves[i] = sign | 0x7e00 | ((abs >>> 13) & 0x3ff); // NaN, made quiet so that the payload cannot round to infinity
    } else if (abs >= 0x477ff000) {
      halves[i] = sign | 0x7c00; // 65520 and up lie nearer to 65536, which binary16 lacks
    } else if (abs >= 0x38800000) {
      const tieToEven = 0xfff + ((abs >>> 13) & 1);
      halves[i] = sign | ((abs + tieToEven - 0x38000000) >>> 13);
    } else {
      // Below 2^-14 the half's step is 2^-24, which is also float32's step at 0.5: adding 0.5 rounds at the right bit.
      scratch[0] = Math.abs(values[i] ?? 0) + 0.5;
      halves[i] = sign | ((scratchBits[0] ?? 0) - 0x3f000000);
    }
  }
  return halves;
}
