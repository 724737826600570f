/** Checkpoints as the authors' training script saves them, written without PyTorch. */
import type { HostTensor } from "../../src/io/tensor_data.js";
import { dict, int, legacyCheckpoint, pickle, tensor, text, zipCheckpoint } from "./pickles.js";

/** @param tensors float32, by key; saved under "state_dict", each key after the "module." of data-parallel training */
export function checkpointOf(tensors: ReadonlyMap<string, HostTensor>, container: "legacy" | "zip"): Uint8Array {
  const stored = [...tensors].map(([key, { shape, data }], i) => {
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    const storage = { key: String(i), length: data.length / 4 };
    return { data, storage, item: [text(`module.${key}`), tensor(storage, 0, shape, strides)] };
  });
  const state = dict(...stored.flatMap(({ item }) => item));
  const saved = pickle(dict(text("epoch"), int(3), text("state_dict"), state));
  if (container === "zip") {
    return zipCheckpoint(saved, Object.fromEntries(stored.map(({ storage, data }) => [storage.key, data])));
  }
  return legacyCheckpoint(
    saved,
    stored.map(({ storage, data }) => [storage.key, storage.length, data]),
  );
}
