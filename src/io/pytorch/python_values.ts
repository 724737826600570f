/**
 * What a checkpoint's pickle may evaluate to. Python's numbers, strings, bytes, lists, tuples and dicts become their
 * JavaScript kin (tuples and lists are both arrays, dicts are Maps); the rest are the inert stand-ins below, which
 * describe an object without being able to do anything.
 */
import { type DType, ITEM_SIZE } from "../tensor_data.js";

export type PyValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PyValue[]
  | Map<PyValue, PyValue>
  | PyGlobal
  | StorageRef
  | TensorRef
  | NumpyDtype;

/** A name that the pickle imported and the allow-list knows, such as `torch._utils._rebuild_tensor_v2`. */
export class PyGlobal {
  constructor(readonly name: string) {}
}

/** `collections.OrderedDict`: apart from plain dicts because it alone may carry attributes. */
export class OrderedDict extends Map<PyValue, PyValue> {}

/** A storage somewhere in the file. */
export class StorageRef {
  constructor(
    readonly key: string,
    readonly dtype: DType,
    /** Elements of the whole storage. */
    readonly length: number,
    /** First element of the view on it that old files speak of; 0 otherwise. */
    readonly viewOffset: number,
  ) {}

  get byteLength(): number {
    return this.length * ITEM_SIZE[this.dtype];
  }
}

/** A strided view on a storage; offset and strides count elements. */
export class TensorRef {
  constructor(
    readonly storage: StorageRef,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** `numpy.dtype` of a number, such as f8. */
export class NumpyDtype {
  littleEndian = true;
  constructor(readonly code: string) {}
}
