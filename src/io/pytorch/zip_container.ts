/**
 * The container of `torch.save` since PyTorch 1.6: a zip of stored entries, `NAME/data.pkl` with the objects and
 * `NAME/data/KEY` with each storage's bytes. Every entry that is read is checked against its CRC-32.
 */
import { WeightsError } from "../../errors.js";
import type { ByteSource } from "../byte_source.js";
import { quoted } from "../strict_json.js";
import { openZip, type ZipReader } from "../zip_reader.js";
import { type OpenedCheckpoint, StorageTable } from "./container.js";
import { MAX_PICKLE_BYTES, PickleEnd } from "./pickle_cursor.js";
import { unpickle } from "./unpickler.js";

export async function openZipCheckpoint(source: ByteSource, file: string): Promise<OpenedCheckpoint> {
  const zip = await openZip(source, file);
  const root = findRoot(zip, file);
  await checkByteOrder(zip, `${root}byteorder`, file);
  const storages = new StorageTable(file);
  const value = await readPickle(zip, `${root}data.pkl`, storages, file);
  const pathOf = (key: string) => `${root}data/${key}`;
  for (const storage of storages.values()) {
    const entry = zip.entries.get(pathOf(storage.key));
    if (entry?.size !== storage.byteLength) {
      throw new WeightsError(
        `${file}: storage ${quoted(storage.key)} should have ${storage.byteLength} bytes, the archive has ` +
          (entry === undefined ? "no such entry" : `${entry.size}`),
      );
    }
  }
  return {
    container: "zip",
    value,
    readStorages: async (wanted, visit) => {
      for (const key of wanted) visit(key, await zip.read(pathOf(key)));
    },
  };
}

/** The folder that holds data.pkl; PyTorch names it after the file. */
function findRoot(zip: ZipReader, file: string): string {
  const pickles = [...zip.entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const root = pickles[0]?.slice(0, -"data.pkl".length);
  if (root === undefined || pickles.length > 1) {
    throw new WeightsError(`${file}: is a zip archive, but no PyTorch checkpoint: expected one NAME/data.pkl in it`);
  }
  if (zip.entries.has(`${root}constants.pkl`)) {
    throw new WeightsError(`${file}: is a TorchScript program; save its state_dict() with torch.save instead`);
  }
  return root;
}

async function checkByteOrder(zip: ZipReader, path: string, file: string): Promise<void> {
  if (!zip.entries.has(path)) return; // before PyTorch 2.1 there was none
  if ((zip.entries.get(path)?.size ?? 0) > 16) throw new WeightsError(`${file}: has a damaged byteorder entry`);
  const order = new TextDecoder().decode(await zip.read(path));
  if (order !== "little") throw new WeightsError(`${file}: its byte order is ${quoted(order)}, expected "little"`);
}

async function readPickle(zip: ZipReader, path: string, storages: StorageTable, file: string) {
  const size = zip.entries.get(path)?.size ?? 0;
  if (size > MAX_PICKLE_BYTES) {
    throw new WeightsError(`${file}: its pickle has ${size} bytes, over the limit of ${MAX_PICKLE_BYTES}`);
  }
  const bytes = await zip.read(path);
  try {
    const { value, end } = unpickle(bytes, 0, file, storages.load);
    if (end !== bytes.length) throw new WeightsError(`${file}: ${bytes.length - end} bytes follow its pickle`);
    return value;
  } catch (error) {
    if (!(error instanceof PickleEnd)) throw error;
    throw new WeightsError(`${file}: its pickle breaks off`, { cause: error });
  }
}
