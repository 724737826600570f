/**
 * PyTorch checkpoints, read without Python: both containers of `torch.save`, the authors' dict around the state_dict,
 * and nothing but the state_dict's own storages. An optimizer's state, up to three times the weights, stays on disk.
 */
import { WeightsError } from "../../errors.js";
import type { ByteSource } from "../byte_source.js";
import { quoted } from "../strict_json.js";
import { elementCount, type HostTensor, ITEM_SIZE, toFloat32 } from "../tensor_data.js";
import { looksLikeZip } from "../zip_reader.js";
import type { OpenedCheckpoint } from "./container.js";
import { openLegacyCheckpoint } from "./legacy_container.js";
import { type PyValue, TensorRef } from "./python_values.js";
import { checkBounds, isContiguous, materialize } from "./strided.js";
import { openZipCheckpoint } from "./zip_container.js";

/** What the authors' training script keeps beside the weights; absent where the file has none. */
export interface CheckpointInfo {
  readonly container: "legacy" | "zip";
  readonly epoch?: number;
  readonly arch?: string;
  readonly bestAcc?: number;
  /** Strings that this project's own checkpoints keep: see `metadataOf`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface PytorchCheckpoint {
  /** The state_dict in its order, without the `module.` that data-parallel training puts before every key. */
  readonly tensors: Map<string, HostTensor>;
  readonly info: CheckpointInfo;
}

const PARALLEL_PREFIX = "module.";

/**
 * Reads the state_dict of a `.pth`, found under the key `state_dict` or as the saved object itself. Tensors that share
 * a storage share memory. Throws WeightsError when the file is damaged, hostile or holds no state_dict.
 */
export async function readPytorchCheckpoint(source: ByteSource, name = "checkpoint"): Promise<PytorchCheckpoint> {
  const isZip = looksLikeZip(await source.read(0, Math.min(4, source.size)));
  const opened = await (isZip ? openZipCheckpoint : openLegacyCheckpoint)(source, name);
  const top = opened.value instanceof Map ? opened.value : new Map<PyValue, PyValue>();
  const refs = stripPrefix(stateDictOf(opened.value, name));
  const bestAcc = top.get("best_acc");
  const accuracy = bestAcc instanceof TensorRef && elementCount(bestAcc.shape) === 1 ? { best_acc: bestAcc } : {};
  const tensors = await readTensors(opened, refs, source.size, name);
  const extra = await readTensors(opened, new Map(Object.entries(accuracy)), source.size, name);
  return { tensors, info: infoOf(opened.container, top, extra.get("best_acc")) };
}

function stateDictOf(value: PyValue, name: string): Map<string, TensorRef> {
  const nested = value instanceof Map ? value.get("state_dict") : undefined;
  const dict = nested ?? value;
  if (!(dict instanceof Map) || dict.size === 0) {
    throw new WeightsError(`${name}: holds no state_dict, neither at the top nor under the key "state_dict"`);
  }
  const refs = new Map<string, TensorRef>();
  for (const [key, item] of dict) {
    if (typeof key === "string" && item instanceof TensorRef) refs.set(key, item);
    else if (nested !== undefined) throw new WeightsError(`${name}: state_dict entry ${shown(key)} is not a tensor`);
    else
      throw new WeightsError(
        `${name}: holds no state_dict: expected tensors or the key "state_dict", found ${listed(dict)}`,
      );
  }
  return refs;
}

function stripPrefix(refs: Map<string, TensorRef>): Map<string, TensorRef> {
  if (![...refs.keys()].every((key) => key.startsWith(PARALLEL_PREFIX))) return refs;
  return new Map(Array.from(refs, ([key, ref]) => [key.slice(PARALLEL_PREFIX.length), ref]));
}

async function readTensors(
  { readStorages }: OpenedCheckpoint,
  refs: ReadonlyMap<string, TensorRef>,
  fileSize: number,
  name: string,
): Promise<Map<string, HostTensor>> {
  const byStorage = new Map<string, [string, TensorRef][]>();
  let gathered = 0;
  for (const [key, ref] of refs) {
    checkBounds(key, ref, name);
    if (!isContiguous(ref)) gathered += elementCount(ref.shape) * ITEM_SIZE[ref.storage.dtype];
    const group = byStorage.get(ref.storage.key);
    if (group) group.push([key, ref]);
    else byStorage.set(ref.storage.key, [[key, ref]]);
  }
  // Many strided views on one storage are each within bounds, but their copies together need not be.
  if (gathered > 2 * fileSize) throw new WeightsError(`${name}: its strided views unfold to ${gathered} bytes`);

  const tensors = new Map<string, HostTensor>();
  await readStorages(new Set(byStorage.keys()), (storage, bytes) => {
    for (const [key, ref] of byStorage.get(storage) ?? []) tensors.set(key, materialize(ref, bytes));
  });
  const ordered = new Map<string, HostTensor>();
  for (const key of refs.keys()) {
    const tensor = tensors.get(key);
    if (tensor) ordered.set(key, tensor);
  }
  return ordered;
}

function infoOf(container: "legacy" | "zip", top: Map<PyValue, PyValue>, accuracy?: HostTensor): CheckpointInfo {
  const epoch = top.get("epoch");
  const arch = top.get("arch");
  const bestAcc = accuracy ? toFloat32(accuracy)[0] : top.get("best_acc");
  return {
    container,
    ...(typeof epoch === "number" && { epoch }),
    ...(typeof arch === "string" && { arch }),
    ...(typeof bestAcc === "number" && { bestAcc }),
    ...metadataIn(top.get("s2am")),
  };
}

function metadataIn(value: PyValue | undefined): Pick<CheckpointInfo, "metadata"> {
  if (!(value instanceof Map)) return {};
  const metadata: Record<string, string> = Object.create(null);
  for (const [key, entry] of value) if (typeof key === "string" && typeof entry === "string") metadata[key] = entry;
  return { metadata };
}

/** Only keys that print shortly are printed: a file may well use a deep tuple for one. */
const shown = (key: PyValue): string =>
  typeof key === "string" ? quoted(key) : typeof key === "number" ? `${key}` : "a key that is no string";

const listed = (dict: Map<PyValue, PyValue>): string => [...dict.keys()].slice(0, 8).map(shown).join(", ");
