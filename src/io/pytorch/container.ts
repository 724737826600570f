/** What the two containers of PyTorch checkpoints have in common, once opened. */
import { WeightsError } from "../../errors.js";
import { quoted } from "../strict_json.js";
import { storageOf } from "./globals.js";
import type { PyValue, StorageRef } from "./python_values.js";

export interface OpenedCheckpoint {
  readonly container: "legacy" | "zip";
  /** The object that was saved, with stand-ins for its tensors. */
  readonly value: PyValue;
  /**
   * Reads the storages whose keys are in `wanted`, one after the other in the file's order, and hands each to `visit`.
   * The others are skipped without being read.
   */
  readStorages(wanted: ReadonlySet<string>, visit: (key: string, bytes: Uint8Array) => void): Promise<void>;
}

/** Collects the storages that a pickle refers to; one key always means the same dtype and length. */
export class StorageTable extends Map<string, StorageRef> {
  constructor(private readonly file: string) {
    super();
  }

  /** The unpickler's hook for persistent ids. */
  readonly load = (id: PyValue): StorageRef => {
    const storage = storageOf(id, this.file);
    const known = this.get(storage.key);
    if (known !== undefined && (known.dtype !== storage.dtype || known.length !== storage.length)) {
      throw new WeightsError(`${this.file}: its pickle describes storage ${quoted(storage.key)} in two ways`);
    }
    this.set(storage.key, storage);
    return storage;
  };
}
