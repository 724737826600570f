/**
 * Tensors as files hold them: a dtype, a shape and little-endian bytes. Everything that reads or writes weights speaks
 * this type; only `model/weights` turns it into the layout the kernels want. Typed arrays are taken to be
 * little-endian, as they are wherever WebGPU runs.
 */
import { ShapeError } from "../errors.js";
import { float16ToFloat32, float32ToFloat16 } from "../float16.js";

/** Bytes an element, by safetensors' dtype names. */
export const ITEM_SIZE = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;

export type DType = keyof typeof ITEM_SIZE;

export const isDType = (name: string): name is DType => Object.hasOwn(ITEM_SIZE, name);

/**
 * A dense, row-major tensor. `data` holds exactly `elementCount(shape) * ITEM_SIZE[dtype]` bytes, at any alignment,
 * and may share its memory with the file it was read from or with other tensors: treat it as read-only.
 */
export interface HostTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** The product of the dimensions; 1 for a scalar. Infinity once it passes 2^53 - 1. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const dimension of shape) {
    count *= dimension;
    if (!Number.isSafeInteger(count)) return Infinity;
  }
  return count;
}

/** A shape for an error message, of bounded length however many dimensions a file claims. */
export const formatShape = (shape: readonly number[]): string =>
  shape.length <= 16 ? `[${shape.join(", ")}]` : `[${shape.slice(0, 16).join(", ")}, ... ${shape.length} dimensions]`;

/** `values` as a tensor. F16 rounds to nearest even; magnitudes from 65520 up become infinite. */
export function fromFloat32(values: Float32Array, shape: readonly number[], dtype: "F32" | "F16"): HostTensor {
  if (values.length !== elementCount(shape)) {
    throw new ShapeError(
      `fromFloat32: shape ${formatShape(shape)} holds ${elementCount(shape)} values, got ${values.length}`,
    );
  }
  const stored = dtype === "F32" ? values : float32ToFloat16(values);
  return { dtype, shape: [...shape], data: new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength) };
}

/** The tensor's values as float32, rounded where the dtype is wider. An aligned F32 tensor is returned without a copy. */
export function toFloat32(tensor: HostTensor): Float32Array {
  const { dtype, shape, data } = tensor;
  const size = ITEM_SIZE[dtype];
  if (data.length !== elementCount(shape) * size) {
    throw new ShapeError(
      `toFloat32: ${dtype} ${formatShape(shape)} takes ${elementCount(shape) * size} bytes, got ${data.length}`,
    );
  }
  const { buffer, byteOffset } = data.byteOffset % size === 0 ? data : new Uint8Array(data);
  const length = data.length / size;
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer, byteOffset, length);
    case "F16":
      return float16ToFloat32(new Uint16Array(buffer, byteOffset, length));
    case "BF16":
      return bfloat16ToFloat32(new Uint16Array(buffer, byteOffset, length));
    case "F64":
      return Float32Array.from(new Float64Array(buffer, byteOffset, length));
    case "BOOL":
      return Float32Array.from(data, (v) => (v === 0 ? 0 : 1));
    case "U8":
      return Float32Array.from(data);
    case "I8":
      return Float32Array.from(new Int8Array(buffer, byteOffset, length));
    case "U16":
      return Float32Array.from(new Uint16Array(buffer, byteOffset, length));
    case "I16":
      return Float32Array.from(new Int16Array(buffer, byteOffset, length));
    case "U32":
      return Float32Array.from(new Uint32Array(buffer, byteOffset, length));
    case "I32":
      return Float32Array.from(new Int32Array(buffer, byteOffset, length));
    case "U64":
      return bigintsToFloat32(new BigUint64Array(buffer, byteOffset, length));
    case "I64":
      return bigintsToFloat32(new BigInt64Array(buffer, byteOffset, length));
  }
}

/** Index of the first NaN or infinity, or -1. */
export const firstNonFinite = (data: Float32Array): number => data.findIndex((v) => !Number.isFinite(v));

/** A bfloat16 is the upper half of a float32. */
function bfloat16ToFloat32(values: Uint16Array): Float32Array {
  const bits = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) bits[i] = (values[i] ?? 0) << 16;
  return new Float32Array(bits.buffer);
}

function bigintsToFloat32(values: BigInt64Array | BigUint64Array): Float32Array {
  const out = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = Number(values[i]);
  return out;
}
