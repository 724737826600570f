/** From strided views on storages to dense, row-major tensors. */
import { WeightsError } from "../../errors.js";
import { quoted } from "../strict_json.js";
import { elementCount, formatShape, type HostTensor, ITEM_SIZE } from "../tensor_data.js";
import type { TensorRef } from "./python_values.js";

/**
 * Throws WeightsError unless every element lies within the storage. A view may not have more elements than its storage
 * either: a broadcast (stride 0) of a few bytes could ask for all memory.
 */
export function checkBounds(key: string, { storage, offset, shape, strides }: TensorRef, file: string): void {
  const count = elementCount(shape);
  const last = count === 0 ? offset - 1 : shape.reduce((at, size, i) => at + (size - 1) * (strides[i] ?? 0), offset);
  if (count > storage.length || !(last < storage.length)) {
    throw new WeightsError(
      `${file}: tensor ${quoted(key)} ${formatShape(shape)}, strides ${formatShape(strides)}, offset ${offset}, reaches past its storage of ` +
        `${storage.length} elements`,
    );
  }
}

/** Whether the elements lie row by row, so that no gathering is needed. Dimensions of size 1 may have any stride. */
export function isContiguous({ shape, strides }: TensorRef): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    const size = shape[i] ?? 1;
    if (size !== 1 && strides[i] !== expected) return false;
    expected *= size;
  }
  return true;
}

/** The tensor's values. A contiguous one is a view into `storage`; call `checkBounds` first. */
export function materialize(ref: TensorRef, storage: Uint8Array): HostTensor {
  const { dtype } = ref.storage;
  const size = ITEM_SIZE[dtype];
  const count = elementCount(ref.shape);
  if (count === 0 || isContiguous(ref)) {
    const start = count === 0 ? 0 : ref.offset * size;
    return { dtype, shape: ref.shape, data: storage.subarray(start, start + count * size) };
  }
  return { dtype, shape: ref.shape, data: gather(ref, storage, count, size) };
}

/** Walks the view in row-major order, the last index fastest, copying an element's bytes at each place. */
function gather({ offset, shape, strides }: TensorRef, storage: Uint8Array, count: number, size: number): Uint8Array {
  const out = new Uint8Array(count * size);
  const index = shape.map(() => 0);
  let from = offset;
  for (let to = 0; to < out.length; to += size) {
    for (let byte = 0; byte < size; byte++) out[to + byte] = storage[from * size + byte] ?? 0;
    for (let d = shape.length - 1; d >= 0; d--) {
      const stride = strides[d] ?? 0;
      const next = (index[d] ?? 0) + 1;
      from += stride;
      if (next < (shape[d] ?? 0)) {
        index[d] = next;
        break;
      }
      from -= stride * next;
      index[d] = 0;
    }
  }
  return out;
}
