/**
 * TensorBoard's event files, written by hand: TFRecords (length, data, and a masked CRC-32C of each) around the few
 * fields of the protocol buffers `Event` and `Summary` that scalars and pictures take.
 */
import { crc32c } from "../crc32.js";

export interface PngPicture {
  readonly width: number;
  readonly height: number;
  readonly png: Uint8Array;
}

/** The first record of every file. @param seconds since 1970, as in the others */
export const versionRecord = (seconds: number): Uint8Array =>
  record(event(seconds, 0, field(3, utf8("brain.Event:2"))));

/** Tells TensorBoard that steps from `step` on, which an earlier file may hold, are taken anew. */
export const startRecord = (seconds: number, step: number): Uint8Array =>
  record(event(seconds, step, field(7, varintField(1, 1))));

export function scalarsRecord(seconds: number, step: number, scalars: Readonly<Record<string, number>>): Uint8Array {
  const values = Object.entries(scalars).map(([tag, value]) =>
    field(1, join(field(1, utf8(tag)), float32Field(2, value))),
  );
  return record(event(seconds, step, field(5, join(...values))));
}

export function pictureRecord(
  seconds: number,
  step: number,
  tag: string,
  { width, height, png }: PngPicture,
): Uint8Array {
  const picture = join(varintField(1, height), varintField(2, width), varintField(3, RGB), field(4, png));
  return record(event(seconds, step, field(5, field(1, join(field(1, utf8(tag)), field(4, picture))))));
}

/** Summary.Image's colorspace. */
const RGB = 3;

const event = (seconds: number, step: number, content: Uint8Array): Uint8Array =>
  join(float64Field(1, seconds), varintField(2, step), content);

function record(data: Uint8Array): Uint8Array {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(data.length), true);
  return join(length, maskedCrc(length), data, maskedCrc(data));
}

/** Masked, as a checksum of data that holds checksums is a poor one. */
function maskedCrc(bytes: Uint8Array): Uint8Array {
  const crc = crc32c(bytes);
  const masked = new Uint8Array(4);
  new DataView(masked.buffer).setUint32(0, (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0, true);
  return masked;
}

const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const key = (number: number, wire: keyof typeof WIRE): Uint8Array => varint(number * 8 + WIRE[wire]);
const field = (number: number, content: Uint8Array): Uint8Array =>
  join(key(number, "bytes"), varint(content.length), content);
const varintField = (number: number, value: number): Uint8Array => join(key(number, "varint"), varint(value));

function float64Field(number: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return join(key(number, "fixed64"), bytes);
}

function float32Field(number: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return join(key(number, "fixed32"), bytes);
}

/** Seven bits a byte, the lowest first, by division: steps may pass 2^31. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest]);
    bytes.push(128 + (rest % 128));
  }
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
