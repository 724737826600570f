/**
 * Checkpoints for PyTorch: the zip that `torch.load` reads, with or without `weights_only`, around the authors' dict
 * {epoch, arch, state_dict, best_acc, optimizer: None}, and what a safetensors file would say beside it.
 */
import { WeightsError } from "../../errors.js";
import { quoted } from "../strict_json.js";
import { type DType, elementCount, formatShape, type HostTensor, ITEM_SIZE } from "../tensor_data.js";
import { writeStoredZip } from "../zip_writer.js";

const STORAGE_TYPES: Readonly<Partial<Record<DType, string>>> = {
  F32: "FloatStorage",
  F16: "HalfStorage",
  BF16: "BFloat16Storage",
  F64: "DoubleStorage",
  I64: "LongStorage",
  I32: "IntStorage",
  I16: "ShortStorage",
  I8: "CharStorage",
  U8: "ByteStorage",
  BOOL: "BoolStorage",
};

export interface CheckpointFields {
  readonly epoch?: number;
  readonly arch?: string;
  readonly bestAcc?: number;
  /** Kept as a dict of strings under `s2am`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The bytes of a `.pth`. Throws WeightsError for dtypes PyTorch lacks (U16 and wider) and from 4 GiB up. */
export function serializePytorchCheckpoint(
  tensors: ReadonlyMap<string, HostTensor>,
  info: CheckpointFields = {},
): Uint8Array {
  const text = (value: string) => new TextEncoder().encode(value);
  const files = new Map([
    ["archive/data.pkl", pickleCheckpoint(tensors, info)],
    ["archive/byteorder", text("little")],
  ]);
  let key = 0;
  for (const { data } of tensors.values()) files.set(`archive/data/${key++}`, data);
  files.set("archive/version", text("3\n"));
  return writeStoredZip(files);
}

function pickleCheckpoint(tensors: ReadonlyMap<string, HostTensor>, info: CheckpointFields): Uint8Array {
  const out = new PickleWriter();
  out.emptyDict().mark();
  out.text("epoch").integer(info.epoch ?? 0);
  out.text("arch").text(info.arch ?? "");
  out.text("state_dict").orderedDict().mark();
  let key = 0;
  for (const [name, tensor] of tensors) writeTensor(out.text(name), name, `${key++}`, tensor);
  out.setItems();
  // PyTorch 1.13's weights_only does not know floats, so a round number is written as an integer.
  const bestAcc = info.bestAcc ?? 0;
  out.text("best_acc");
  if (Number.isSafeInteger(bestAcc)) out.integer(bestAcc);
  else out.float(bestAcc);
  out.text("optimizer").none();
  out.text("s2am").emptyDict().mark();
  for (const [name, value] of Object.entries(info.metadata ?? {})) out.text(name).text(value);
  out.setItems();
  return out.setItems().finish();
}

/** `_rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())` */
function writeTensor(out: PickleWriter, name: string, key: string, { dtype, shape, data }: HostTensor): void {
  const type = STORAGE_TYPES[dtype];
  const count = elementCount(shape);
  if (type === undefined) throw new WeightsError(`${quoted(name)}: PyTorch has no storage for ${dtype}`);
  if (data.length !== count * ITEM_SIZE[dtype]) {
    throw new WeightsError(`${quoted(name)}: is ${dtype} ${formatShape(shape)} but has ${data.length} bytes`);
  }
  out.global("torch._utils", "_rebuild_tensor_v2").mark();
  out.mark().text("storage").global("torch", type).text(key).text("cpu").integer(count).tuple().persistentId();
  out.integer(0);
  out.mark();
  for (const size of shape) out.integer(size);
  out.tuple().mark();
  for (let d = 1; d <= shape.length; d++) out.integer(elementCount(shape.slice(d)));
  out.tuple().bool(false).orderedDict().tuple().reduce();
}

/** The handful of protocol 2 opcodes that a checkpoint takes; no memo, as nothing is shared. */
class PickleWriter {
  private bytes = new Uint8Array(1 << 12);
  private length = 0;

  constructor() {
    this.put(0x80, 2);
  }

  emptyDict = () => this.put(0x7d);
  mark = () => this.put(0x28);
  tuple = () => this.put(0x74);
  setItems = () => this.put(0x75);
  reduce = () => this.put(0x52);
  persistentId = () => this.put(0x51);
  none = () => this.put(0x4e);
  bool = (value: boolean) => this.put(value ? 0x88 : 0x89);
  orderedDict = () => this.global("collections", "OrderedDict").put(0x29, 0x52);
  global = (module: string, name: string) => this.put(0x63, ...new TextEncoder().encode(`${module}\n${name}\n`));

  /** BINUNICODE */
  text(value: string): this {
    const utf8 = new TextEncoder().encode(value);
    const header = new DataView(new ArrayBuffer(4));
    header.setUint32(0, utf8.length, true);
    return this.put(0x58, ...new Uint8Array(header.buffer)).append(utf8);
  }

  /** LONG1, which holds any safe integer. */
  integer(value: number): this {
    if (!Number.isSafeInteger(value)) throw new WeightsError(`${value} is not an integer a checkpoint can hold`);
    const header = new DataView(new ArrayBuffer(8));
    header.setBigInt64(0, BigInt(value), true);
    return this.put(0x8a, 8, ...new Uint8Array(header.buffer));
  }

  /** BINFLOAT, the one big-endian opcode. */
  float(value: number): this {
    const header = new DataView(new ArrayBuffer(8));
    header.setFloat64(0, value, false);
    return this.put(0x47, ...new Uint8Array(header.buffer));
  }

  finish(): Uint8Array {
    return this.put(0x2e).bytes.slice(0, this.length);
  }

  private put(...bytes: number[]): this {
    return this.append(bytes);
  }

  private append(bytes: ArrayLike<number>): this {
    const needed = this.length + bytes.length;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(2 * needed);
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    this.bytes.set(bytes, this.length);
    this.length = needed;
    return this;
  }
}
