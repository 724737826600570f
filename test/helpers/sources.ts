/** Byte sources that tell what was read of them. */
import { type ByteSource, bytesSource } from "../../src/io/byte_source.js";

export interface CountingSource extends ByteSource {
  /** Bytes read so far. */
  total(): number;
}

export function countingSource(bytes: Uint8Array): CountingSource {
  const inner = bytesSource(bytes);
  let total = 0;
  return {
    size: inner.size,
    total: () => total,
    read: async (offset, length) => {
      total += length;
      return inner.read(offset, length);
    },
  };
}
