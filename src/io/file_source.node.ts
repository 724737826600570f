/** Files on disk as a ByteSource: only the ranges that are asked for are read. */
import { type FileHandle, open } from "node:fs/promises";
import { InputError, OutOfMemoryError } from "../errors.js";
import { assertRange, type ByteSource } from "./byte_source.js";

/** One read system call moves at most 2 GiB less a page; stay well below. */
const CHUNK = 1 << 28;

export interface FileSource extends ByteSource {
  /** Gives the file descriptor back. Reads after it reject. */
  close(): Promise<void>;
}

/** Opens `path` for reading by ranges. Throws InputError when it is missing, unreadable or not a regular file. */
export async function fileSource(path: string): Promise<FileSource> {
  const file = await open(path, "r").catch((cause: unknown) => {
    throw new InputError(`${path}: cannot be opened (${reason(cause)})`, { cause });
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile())
      throw new InputError(`${path}: ${stat.isDirectory() ? "is a folder" : "is not a regular file"}`);
    return {
      size: stat.size,
      read: async (offset, length) => {
        assertRange(offset, length, stat.size);
        return readFully(file, path, offset, length);
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Opens `path`, hands the source to `use`, and closes it whatever happens. */
export async function withFileSource<T>(path: string, use: (source: ByteSource) => Promise<T>): Promise<T> {
  const source = await fileSource(path);
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}

async function readFully(file: FileHandle, path: string, offset: number, length: number): Promise<Uint8Array> {
  const bytes = allocate(path, length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file
      .read(bytes, done, Math.min(CHUNK, length - done), offset + done)
      .catch((cause: unknown) => {
        throw new InputError(`${path}: cannot be read (${reason(cause)})`, { cause });
      });
    if (bytesRead === 0) throw new InputError(`${path}: became shorter while it was being read`);
    done += bytesRead;
  }
  return bytes;
}

function allocate(path: string, length: number): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new OutOfMemoryError(`${path}: cannot hold ${length} bytes of it in memory`, { cause });
  }
}

/** The system's own words for a failed call, such as "no such file or directory". */
export function reason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return /^E\w+: (.+?), \w+/.exec(cause.message)?.[1] ?? cause.message;
}
