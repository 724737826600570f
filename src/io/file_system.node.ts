/** Writing through a file system that tests can replace by one that fails. */
import * as fsPromises from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { InputError } from "../errors.js";
import { reason } from "./file_source.node.js";

export type FileSystem = Pick<typeof fsPromises, "mkdir" | "open" | "rename" | "readdir" | "unlink">;

export const realFileSystem: FileSystem = fsPromises;

/** One system call moves at most 2 GiB less a page. */
const WRITE_BYTES = 1 << 28;

/** A write may take a part only; one that takes nothing never will. @param position null appends */
export async function writeFully(
  file: fsPromises.FileHandle,
  bytes: Uint8Array,
  position: number | null = 0,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const at = position === null ? null : position + done;
    const { bytesWritten } = await file.write(bytes, done, Math.min(WRITE_BYTES, bytes.length - done), at);
    if (bytesWritten === 0) throw new Error(`only ${done} of ${bytes.length} bytes were taken`);
    done += bytesWritten;
  }
}

/** The name that a file has until it is whole. */
export const temporaryName = (path: string): string => join(dirname(path), `.${basename(path)}.tmp`);

/**
 * Writes under a temporary name and renames, so that the path holds all of it or what it held before. It is not synced:
 * that is for whoever writes many files to do once.
 * @throws InputError where the system refuses
 */
export async function replaceFile(path: string, bytes: Uint8Array, fs: FileSystem = realFileSystem): Promise<void> {
  const temporary = temporaryName(path);
  try {
    const file = await fs.open(temporary, "w");
    try {
      await writeFully(file, bytes);
    } finally {
      await file.close();
    }
    await fs.rename(temporary, path);
  } catch (cause) {
    await fs.unlink(temporary).catch(() => {});
    throw new InputError(`${path}: cannot be written (${reason(cause)})`, { cause });
  }
}
