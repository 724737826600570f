/** An ICC profile of ProPhoto RGB (ROMM): matrix, and a gamma of 1.8. */
export function proPhotoProfile(): Uint8Array {
  const fixed = (value: number): number => Math.round(value * 65536);
  const xyz = (x: number, y: number, z: number): Uint8Array => tag("XYZ ", [fixed(x), fixed(y), fixed(z)]);
  const tag = (type: string, words: readonly number[]): Uint8Array => {
    const bytes = new Uint8Array(8 + 4 * words.length);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < 4; i++) bytes[i] = type.charCodeAt(i);
    for (const [i, word] of words.entries()) view.setInt32(8 + 4 * i, word);
    return bytes;
  };
  const curve = tag("curv", [1, Math.round(1.8 * 256) << 16]);
  const name = "ProPhoto";
  const description = new Uint8Array(104);
  const described = new DataView(description.buffer);
  description.set(new TextEncoder().encode("desc"));
  described.setUint32(8, name.length + 1);
  description.set(new TextEncoder().encode(name), 12);
  const tags: readonly (readonly [string, Uint8Array])[] = [
    ["desc", description],
    ["wtpt", xyz(0.9642, 1, 0.8249)],
    ["rXYZ", xyz(0.79767, 0.28804, 0)],
    ["gXYZ", xyz(0.13519, 0.71188, 0)],
    ["bXYZ", xyz(0.03134, 0.00009, 0.82491)],
    ["rTRC", curve],
    ["gTRC", curve],
    ["bTRC", curve],
    ["cprt", tag("text", [0x6e6f6e65, 0])],
  ];
  const start = 128 + 4 + 12 * tags.length;
  const size = tags.reduce((sum, [, bytes]) => sum + Math.ceil(bytes.length / 4) * 4, start);
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  const text = (at: number, value: string): void => out.set(new TextEncoder().encode(value), at);
  view.setUint32(0, size);
  view.setUint32(8, 0x02400000);
  text(12, "mntrRGB XYZ ");
  text(36, "acsp");
  for (const [i, value] of [0.9642, 1, 0.8249].entries()) view.setInt32(68 + 4 * i, fixed(value));
  view.setUint32(128, tags.length);
  let at = start;
  for (const [i, [key, bytes]] of tags.entries()) {
    text(132 + 12 * i, key);
    view.setUint32(136 + 12 * i, at);
    view.setUint32(140 + 12 * i, bytes.length);
    out.set(bytes, at);
    at += Math.ceil(bytes.length / 4) * 4;
  }
  return out;
}

/** sRGB's primaries in XYZ (D50, by Bradford), and XYZ in ProPhoto's: Lindbloom's tables. */
const SRGB_TO_XYZ = [0.4360747, 0.3850649, 0.1430804, 0.2225045, 0.7168786, 0.0606169, 0.0139322, 0.0971045, 0.7141733];
const XYZ_TO_PROPHOTO = [1.3459433, -0.2556075, -0.0511118, -0.5445989, 1.5081673, 0.0205351, 0, 0, 1.2118128];

/** 8-bit sRGB as 16-bit ProPhoto RGB. */
export function toProPhoto(pixels: ArrayLike<number>): Uint16Array {
  const times = (matrix: readonly number[], vector: readonly number[]): number[] =>
    [0, 3, 6].map((row) => vector.reduce((sum, value, k) => sum + (matrix[row + k] ?? 0) * value, 0));
  const out = new Uint16Array(pixels.length);
  for (let p = 0; p < pixels.length; p += 3) {
    const linear = [0, 1, 2].map((c) => {
      const value = (pixels[p + c] ?? 0) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    for (const [c, light] of times(XYZ_TO_PROPHOTO, times(SRGB_TO_XYZ, linear)).entries())
      out[p + c] = Math.round(65535 * Math.min(1, Math.max(0, light)) ** (1 / 1.8));
  }
  return out;
}

/** A TIFF of 16-bit RGB in one strip, uncompressed, with a profile: what raw developers write. */
export function tiffOf(pixels: Uint16Array, width: number, height: number, profile: Uint8Array): Uint8Array {
  const [short, long, undefinedType] = [3, 4, 7];
  const entries = 11;
  const bits = 8 + 2 + 12 * entries + 4;
  const strip = bits + 6;
  const icc = strip + pixels.byteLength;
  const out = new Uint8Array(icc + profile.length);
  const view = new DataView(out.buffer);
  out.set([0x49, 0x49, 42, 0, 8, 0, 0, 0]);
  view.setUint16(8, entries, true);
  const fields: readonly (readonly [tag: number, type: number, count: number, value: number])[] = [
    [256, long, 1, width],
    [257, long, 1, height],
    [258, short, 3, bits],
    [259, short, 1, 1],
    [262, short, 1, 2],
    [273, long, 1, strip],
    [277, short, 1, 3],
    [278, long, 1, height],
    [279, long, 1, pixels.byteLength],
    [284, short, 1, 1],
    [34675, undefinedType, profile.length, icc],
  ];
  for (const [i, [tag, type, count, value]] of fields.entries()) {
    const at = 10 + 12 * i;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, type, true);
    view.setUint32(at + 4, count, true);
    view.setUint32(at + 8, value, true);
  }
  for (let k = 0; k < 3; k++) view.setUint16(bits + 2 * k, 16, true);
  for (const [i, value] of pixels.entries()) view.setUint16(strip + 2 * i, value, true);
  out.set(profile, icc);
  return out;
}
