/** Bounded reading of a pickle's bytes: integers, text and names, each checked against what is left. */
import { WeightsError } from "../../errors.js";

/** Largest pickle that is read; those of networks with thousands of tensors stay below 1 MB. */
export const MAX_PICKLE_BYTES = 1 << 26;
const MAX_LONG_BYTES = 64;
const MAX_NAME = 256;
const MAX_PYTHON2_STRING = 4096;

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Thrown when the bytes end before the pickle does: the caller may have more of them. */
export class PickleEnd extends Error {}

export class PickleCursor {
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    /** Where the next byte lies. */
    public at: number,
    private readonly file: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  uint8 = (): number => this.view.getUint8(this.take(1));
  uint16 = (): number => this.view.getUint16(this.take(2), true);
  int32 = (): number => this.view.getInt32(this.take(4), true);
  uint32 = (): number => this.view.getUint32(this.take(4), true);
  uint64 = (): number => Number(this.view.getBigUint64(this.take(8), true));
  float64 = (): number => this.view.getFloat64(this.take(8), false);

  /** A copy of the next `length` bytes. */
  slice(length: number): Uint8Array {
    const start = this.take(length);
    return new Uint8Array(this.bytes.subarray(start, start + length));
  }

  utf8(length: number): string {
    const start = this.take(length);
    try {
      return UTF8.decode(this.bytes.subarray(start, start + length));
    } catch {
      throw this.error("holds text that is not UTF-8");
    }
  }

  /** Python 2's str: one character a byte. */
  latin1(length: number): string {
    if (length > MAX_PYTHON2_STRING) throw this.error(`holds a Python 2 string of ${length} bytes`);
    const start = this.take(length);
    return String.fromCharCode(...this.bytes.subarray(start, start + length));
  }

  /** A two's complement integer; those that a number holds exactly become one. */
  long(length: number): number | bigint {
    if (length > MAX_LONG_BYTES) throw this.error(`holds an integer of ${length} bytes`);
    const start = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[start + i] ?? 0);
    value = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  /** Text up to a newline: half of a global's name. */
  line(): string {
    const start = this.at;
    while (this.uint8() !== 0x0a) {
      if (this.at - start > MAX_NAME) throw this.error("imports a name that is too long");
    }
    return new TextDecoder().decode(this.bytes.subarray(start, this.at - 1));
  }

  error(what: string): WeightsError {
    return new WeightsError(`${this.file}: its pickle ${what} (byte ${this.at})`);
  }

  /** Advances over `count` bytes and returns where they began. */
  take(count: number): number {
    const start = this.at;
    if (start + count > MAX_PICKLE_BYTES) throw this.error(`claims more than ${MAX_PICKLE_BYTES} bytes`);
    if (start + count > this.bytes.length) throw new PickleEnd();
    this.at += count;
    return start;
  }
}
