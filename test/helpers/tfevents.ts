/** Reads TensorBoard's event files, as independently of their writer as can be: a bitwise CRC-32C, a generic protobuf walk. */

export interface TfEvent {
  wallTime: number;
  step: number;
  fileVersion?: string;
  sessionStatus?: number;
  scalars: Record<string, number>;
  pictures: Record<string, { width: number; height: number; png: Uint8Array }>;
}

export function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

type Field = number | Uint8Array;

function fieldsOf(bytes: Uint8Array): Map<number, Field[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields = new Map<number, Field[]>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = view.getUint8(at++);
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Uint8Array => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = varint();
    const [number, wire] = [Math.floor(key / 8), key % 8];
    let value: Field;
    if (wire === 0) value = varint();
    else if (wire === 1) value = view.getFloat64(take(8).byteOffset - bytes.byteOffset, true);
    else if (wire === 5) value = view.getFloat32(take(4).byteOffset - bytes.byteOffset, true);
    else if (wire === 2) value = take(varint());
    else throw new Error(`wire type ${wire}`);
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

const textOf = (field: Field | undefined): string => new TextDecoder().decode(field as Uint8Array);

/** @throws Error at a wrong checksum or a record cut short */
export function readTfEvents(bytes: Uint8Array): TfEvent[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const events: TfEvent[] = [];
  const check = (data: Uint8Array, at: number): void => {
    const crc = slowCrc32c(data);
    const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
    if (view.getUint32(at, true) !== masked) throw new Error(`wrong checksum at byte ${at}`);
  };
  for (let at = 0; at < bytes.length; ) {
    const length = Number(view.getBigUint64(at, true));
    check(bytes.subarray(at, at + 8), at + 8);
    const data = bytes.subarray(at + 12, at + 12 + length);
    check(data, at + 12 + length);
    at += 16 + length;
    events.push(eventOf(fieldsOf(data)));
  }
  return events;
}

function eventOf(fields: Map<number, Field[]>): TfEvent {
  const event: TfEvent = {
    wallTime: fields.get(1)?.[0] as number,
    step: (fields.get(2)?.[0] as number) ?? 0,
    scalars: {},
    pictures: {},
  };
  const [version] = fields.get(3) ?? [];
  if (version) event.fileVersion = textOf(version);
  const [session] = fields.get(7) ?? [];
  if (session) event.sessionStatus = fieldsOf(session as Uint8Array).get(1)?.[0] as number;
  for (const summary of fields.get(5) ?? []) {
    for (const value of fieldsOf(summary as Uint8Array).get(1) ?? []) {
      const parts = fieldsOf(value as Uint8Array);
      const tag = textOf(parts.get(1)?.[0]);
      const [scalar] = parts.get(2) ?? [];
      if (scalar !== undefined) event.scalars[tag] = scalar as number;
      const [picture] = parts.get(4) ?? [];
      if (!picture) continue;
      const image = fieldsOf(picture as Uint8Array);
      event.pictures[tag] = {
        height: image.get(1)?.[0] as number,
        width: image.get(2)?.[0] as number,
        png: image.get(4)?.[0] as Uint8Array,
      };
    }
  }
  return event;
}
