/**
 * The allow-list: every name a checkpoint's pickle may import, and what stands in for calling it. A stand-in only
 * builds inert values; nothing from the file is ever executed. Whatever is not here is refused by its name.
 */
import { WeightsError } from "../../errors.js";
import { quoted } from "../strict_json.js";
import type { DType } from "../tensor_data.js";
import { NumpyDtype, OrderedDict, PyGlobal, type PyValue, StorageRef, TensorRef } from "./python_values.js";

const STORAGE_DTYPES: ReadonlyMap<string, DType> = new Map([
  ["torch.FloatStorage", "F32"],
  ["torch.HalfStorage", "F16"],
  ["torch.BFloat16Storage", "BF16"],
  ["torch.DoubleStorage", "F64"],
  ["torch.LongStorage", "I64"],
  ["torch.IntStorage", "I32"],
  ["torch.ShortStorage", "I16"],
  ["torch.CharStorage", "I8"],
  ["torch.ByteStorage", "U8"],
  ["torch.BoolStorage", "BOOL"],
]);

/** Builds a value, or returns undefined when the arguments are not what PyTorch writes. */
type StandIn = (args: readonly PyValue[], spend: (count: number) => void) => PyValue | undefined;

const CALLS: ReadonlyMap<string, StandIn> = new Map<string, StandIn>([
  ["collections.OrderedDict", orderedDict],
  ["torch.Size", ([dims = []]) => (isIndices(dims) ? dims : undefined)],
  ["torch._utils._rebuild_tensor", rebuildTensor],
  ["torch._utils._rebuild_tensor_v2", rebuildTensor],
  ["torch._utils._rebuild_parameter", ([data]) => (data instanceof TensorRef ? data : undefined)],
  ["numpy.dtype", ([code]) => (typeof code === "string" ? new NumpyDtype(code) : undefined)],
  ["numpy.core.multiarray.scalar", numpyScalar],
  ["numpy._core.multiarray.scalar", numpyScalar],
  ["_codecs.encode", latin1Bytes], // how Python 3 writes bytes in pickle protocol 2
]);

/** The longest text that `_codecs.encode` is given for a number. */
const MAX_ENCODED = 64;
const MAX_DIMENSIONS = 64;

/** The stand-in for `module.name`, or a refusal. */
export function findGlobal(module: string, name: string, file: string): PyGlobal {
  const global = `${module}.${name}`;
  if (CALLS.has(global) || STORAGE_DTYPES.has(global)) return new PyGlobal(global);
  throw new WeightsError(
    `${file}: refuses to call ${quoted(global).slice(1, -1)}, which its pickle names: only tensors, numbers, strings and ` +
      `dicts belong in a checkpoint. If you trust the file, load it in Python and save {"state_dict": model.state_dict()} alone`,
  );
}

/** The value that `callee(*args)` stands for. */
export function callGlobal(callee: PyValue, args: PyValue, spend: (count: number) => void, file: string): PyValue {
  if (!(callee instanceof PyGlobal))
    throw new WeightsError(`${file}: its pickle calls something that is not a function`);
  const value = Array.isArray(args) ? CALLS.get(callee.name)?.(args, spend) : undefined;
  if (value === undefined) {
    throw new WeightsError(`${file}: its pickle calls ${callee.name} with arguments that PyTorch does not write`);
  }
  return value;
}

/** What `object.__setstate__(state)` stands for: known attributes are taken or dropped, others refused. */
export function setState(object: PyValue, state: PyValue, file: string): void {
  if (object instanceof NumpyDtype && Array.isArray(state)) {
    object.littleEndian = state[1] !== ">";
    return;
  }
  const onlyVersions = state instanceof Map && [...state.keys()].every((key) => key === "_metadata");
  if (object instanceof OrderedDict && onlyVersions) return; // module versions, which a state_dict carries along
  throw new WeightsError(`${file}: its pickle sets the state of an object (BUILD); refuses to`);
}

/** The storage that a persistent id `("storage", type, key, location, length[, view])` names. */
export function storageOf(id: PyValue, file: string): StorageRef {
  const [tag, type, key, , length, view] = Array.isArray(id) ? id : [];
  const dtype = type instanceof PyGlobal ? STORAGE_DTYPES.get(type.name) : undefined;
  if (tag !== "storage" || dtype === undefined || typeof key !== "string" || !isIndex(length)) {
    throw new WeightsError(`${file}: its pickle refers to something that is not a storage`);
  }
  if (view === undefined || view === null) return new StorageRef(key, dtype, length, 0);
  const [, offset, count] = Array.isArray(view) ? view : [];
  if (!isIndex(offset) || !isIndex(count) || offset + count > length) {
    throw new WeightsError(`${file}: its pickle describes a view past the end of storage ${quoted(key)}`);
  }
  return new StorageRef(key, dtype, length, offset);
}

function orderedDict([items]: readonly PyValue[], spend: (count: number) => void): OrderedDict | undefined {
  const dict = new OrderedDict();
  if (items === undefined) return dict;
  if (!Array.isArray(items)) return undefined;
  spend(items.length); // the list may be shared, so a short pickle could ask for it many times
  for (const pair of items) {
    if (!Array.isArray(pair) || pair.length !== 2) return undefined;
    dict.set(pair[0] ?? null, pair[1] ?? null);
  }
  return dict;
}

/** (storage, offset, size, stride, requires_grad, hooks); only the first four matter to the values. */
function rebuildTensor([storage, offset, shape, strides]: readonly PyValue[], spend: (count: number) => void) {
  if (!(storage instanceof StorageRef) || !isIndex(offset) || !isIndices(shape) || !isIndices(strides))
    return undefined;
  if (shape.length !== strides.length) return undefined;
  spend(shape.length);
  return new TensorRef(storage, storage.viewOffset + offset, [...shape], [...strides]); // lists may change later on
}

function latin1Bytes([text, encoding]: readonly PyValue[]): Uint8Array | undefined {
  if (typeof text !== "string" || encoding !== "latin1" || text.length > MAX_ENCODED) return undefined;
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

/** A single number. Python 2 gives its bytes as a string, one character a byte. */
function numpyScalar([dtype, raw]: readonly PyValue[]): number | boolean | undefined {
  const bytes = typeof raw === "string" ? latin1Bytes([raw, "latin1"]) : raw;
  if (!(dtype instanceof NumpyDtype) || !(bytes instanceof Uint8Array)) return undefined;
  if (bytes.length !== Number(dtype.code.slice(1))) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = dtype.littleEndian;
  switch (dtype.code) {
    case "f8":
      return view.getFloat64(0, little);
    case "f4":
      return view.getFloat32(0, little);
    case "i8":
      return Number(view.getBigInt64(0, little));
    case "i4":
      return view.getInt32(0, little);
    case "b1":
      return view.getUint8(0) !== 0;
    default:
      return undefined;
  }
}

const isIndex = (value: PyValue | undefined): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

const isIndices = (value: PyValue | undefined): value is number[] =>
  Array.isArray(value) && value.length <= MAX_DIMENSIONS && value.every(isIndex);
