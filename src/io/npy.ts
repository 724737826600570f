/**
 * NumPy's .npy, versions 1 to 3, for little-endian float32 in C order: enough to exchange tensors with any framework.
 * Other dtypes and orders are refused with the line that converts them, never converted silently.
 */
import { InputError } from "../errors.js";
import { quoted } from "./strict_json.js";
import { elementCount, formatShape } from "./tensor_data.js";

export interface NpyArray {
  readonly shape: readonly number[];
  /** Row-major; a copy, so the file's bytes may be dropped. May hold NaN and infinities: see `firstNonFinite`. */
  readonly data: Float32Array;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const MAX_HEADER = 1 << 20;
const CURE = "save it with numpy.save(path, numpy.ascontiguousarray(x, dtype='<f4'))";

/** One `'key': value` of the header's Python dict; the value is a string, a bool, a tuple, or a list. */
const ITEM = /\s*(['"])(\w+)\1\s*:\s*(?:(['"])([^'"]*)\3|(True|False)|(\([^()]*\))|(\[.*\]))\s*(?:,|(?=\}))/sy;
/** A tuple of integers; Python 2 wrote some with a final L. */
const TUPLE = /^\(\s*(?:\d+L?\s*,\s*)+(?:\d+L?\s*)?\)$|^\(\s*\)$/;

/** Reads an array, or throws an InputError that says what the file holds instead and how to convert it. */
export function parseNpy(bytes: Uint8Array, name = "npy"): NpyArray {
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) throw new InputError(`${name}: is not a .npy file; ${CURE}`);
  const major = bytes[6] ?? 0;
  if (major < 1 || major > 3) throw new InputError(`${name}: is of .npy version ${major}, expected 1 to 3`);
  const lengthBytes = major === 1 ? 2 : 4;
  const headerStart = 8 + lengthBytes;
  if (bytes.length < headerStart) throw new InputError(`${name}: is truncated within its .npy header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerLength > MAX_HEADER) throw new InputError(`${name}: declares a .npy header of ${headerLength} bytes`);
  const dataStart = headerStart + headerLength;
  if (bytes.length < dataStart) throw new InputError(`${name}: is truncated within its .npy header`);

  const shape = parseHeader(new TextDecoder().decode(bytes.subarray(headerStart, dataStart)), name);
  const expected = elementCount(shape) * 4;
  const got = bytes.length - dataStart;
  if (got !== expected) {
    const fault = got < expected ? "is truncated" : "has bytes left over";
    throw new InputError(
      `${name}: ${fault}: float32 ${formatShape(shape)} takes ${expected} bytes of data, the file has ${got}`,
    );
  }
  return { shape, data: new Float32Array(new Uint8Array(bytes.subarray(dataStart)).buffer) };
}

/** The bytes of a version 1 file whose data begins at a multiple of 64. Throws InputError if `data` does not fill `shape`. */
export function serializeNpy(shape: readonly number[], data: Float32Array): Uint8Array {
  if (data.length !== elementCount(shape)) {
    throw new InputError(`npy: shape ${formatShape(shape)} holds ${elementCount(shape)} values, got ${data.length}`);
  }
  const tuple = shape.length === 1 ? `(${shape},)` : `(${shape.join(", ")})`;
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  const dataStart = Math.ceil((10 + header.length + 1) / 64) * 64;
  const bytes = new Uint8Array(dataStart + data.byteLength);
  bytes.set(MAGIC);
  bytes[6] = 1;
  new DataView(bytes.buffer).setUint16(8, dataStart - 10, true);
  bytes.set(new TextEncoder().encode(`${header.padEnd(dataStart - 11)}\n`), 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), dataStart);
  return bytes;
}

/** The shape, once the header has been found to describe little-endian float32 in C order. */
function parseHeader(header: string, name: string): number[] {
  const malformed = () => new InputError(`${name}: its .npy header is malformed: ${quoted(header.trim())}`);
  const dict = /^\s*\{(.*\})\s*$/s.exec(header)?.[1];
  if (dict === undefined) throw malformed();
  const fields = new Map<string, string>();
  let end = 0;
  for (let at = 0; ; at = end) {
    ITEM.lastIndex = at;
    const [, , key, , text, flag, tuple, list] = ITEM.exec(dict) ?? [];
    if (key === undefined) break;
    if (fields.has(key)) throw malformed();
    fields.set(key, text ?? flag ?? tuple ?? list ?? "");
    end = ITEM.lastIndex;
  }
  const dtype = fields.get("descr");
  const fortran = fields.get("fortran_order");
  const tuple = fields.get("shape");
  if (dtype === undefined || fortran === undefined || tuple === undefined || fields.size !== 3) throw malformed();
  if (!/^(?:True|False)$/.test(fortran) || !TUPLE.test(tuple) || !/^\s*\}$/.test(dict.slice(end))) throw malformed();

  if (dtype !== "<f4") throw new InputError(`${name}: holds ${quoted(dtype)}, expected "<f4" (float32); ${CURE}`);
  if (fortran === "True") throw new InputError(`${name}: is in Fortran order, expected C order; ${CURE}`);
  const shape = Array.from(tuple.matchAll(/\d+/g), ([digits]) => Number(digits));
  if (!Number.isSafeInteger(elementCount(shape) * 4))
    throw new InputError(`${name}: its shape ${formatShape(shape)} overflows`);
  return shape;
}
