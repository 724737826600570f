/**
 * CRC-32 as zip and PNG files use it, and CRC-32C as TensorBoard's records do, eight bytes a step. Neither browsers nor Node 20
 * offer them, and every tensor of a checkpoint is checked with the first, so it has to keep up with the disk.
 */

/** Of polynomial 0x04C11DB7; table[256 k + b]: the checksum of byte `b` followed by `k` zero bytes. */
const TABLES = /* @__PURE__ */ makeTables(0xedb88320);
/** Of polynomial 0x1EDC6F41. */
const CASTAGNOLI_TABLES = /* @__PURE__ */ makeTables(0x82f63b78);

/** @param polynomial with its bits reversed */
function makeTables(polynomial: number): Uint32Array {
  const tables = new Uint32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const previous = tables[i - 256] ?? 0;
    tables[i] = (previous >>> 8) ^ (tables[previous & 255] ?? 0);
  }
  return tables;
}

/** The unsigned 32-bit checksum of `bytes`, by zip's and PNG's polynomial. */
export const crc32 = (bytes: Uint8Array): number => checksum(bytes, TABLES);

/** The unsigned 32-bit checksum of `bytes`, by Castagnoli's polynomial. */
export const crc32c = (bytes: Uint8Array): number => checksum(bytes, CASTAGNOLI_TABLES);

function checksum(bytes: Uint8Array, t: Uint32Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length - (bytes.length % 8);
  let crc = -1;
  for (let at = 0; at < whole; at += 8) {
    const lo = crc ^ view.getUint32(at, true);
    const hi = view.getUint32(at + 4, true);
    crc =
      (t[1792 + (lo & 255)] ?? 0) ^
      (t[1536 + ((lo >>> 8) & 255)] ?? 0) ^
      (t[1280 + ((lo >>> 16) & 255)] ?? 0) ^
      (t[1024 + (lo >>> 24)] ?? 0) ^
      (t[768 + (hi & 255)] ?? 0) ^
      (t[512 + ((hi >>> 8) & 255)] ?? 0) ^
      (t[256 + ((hi >>> 16) & 255)] ?? 0) ^
      (t[hi >>> 24] ?? 0);
  }
  for (let at = whole; at < bytes.length; at++) crc = (t[(crc ^ (bytes[at] ?? 0)) & 255] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}
