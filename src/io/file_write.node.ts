/**
 * Files are written whole or not at all: to a temporary name in the same folder, synced, then renamed, so that neither
 * a crash nor a full disk leaves half a result under the name that was asked for.
 */
import { randomBytes } from "node:crypto";
import { constants, unlinkSync } from "node:fs";
import { access, type FileHandle, open, realpath, rename, stat, unlink, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "../errors.js";
import { reason } from "./file_source.node.js";

/**
 * Writes `bytes` to `path`, replacing a file that is there (through a symbolic link, its target). Devices and pipes are
 * written to directly. Throws InputError when the folder is missing or the system refuses; `path` is then as it was.
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array): Promise<void> {
  const existing = await stat(path).catch(() => null);
  if (existing?.isDirectory()) throw new InputError(`${path}: is a folder; name a file to write`);
  try {
    if (existing && !existing.isFile()) return await writeFile(path, bytes);
    await assertFolder(dirname(path));
    await replaceFile(existing ? await realpath(path) : path, bytes);
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    throw new InputError(`${path}: cannot be written (${reason(cause)})`, { cause });
  }
}

/** Throws the InputError that writing to `path` would end in, as far as it can be known: to be asked before long work. */
export async function assertWritable(path: string): Promise<void> {
  const folder = dirname(path);
  await assertFolder(folder);
  const existing = await stat(path).catch(() => null);
  if (existing?.isDirectory()) throw new InputError(`${path}: is a folder; name a file to write`);
  if (existing && !existing.isFile()) return; // a device or pipe is written to directly
  await access(folder, constants.W_OK).catch((cause: unknown) => {
    throw new InputError(`${path}: cannot be written (${reason(cause)})`, { cause });
  });
}

/** Throws InputError unless `folder` exists and is one. */
export async function assertFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => null);
  if (!found) throw new InputError(`${folder}: no such folder; create it first`);
  if (!found.isDirectory()) throw new InputError(`${folder}: is not a folder`);
}

/** Whether both paths lead to one file, by links or by different spellings. Neither has to exist. */
export async function sameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([identity(a), identity(b)]);
  return first === second;
}

/** Device and inode where there is a file, else the place where one would be. */
async function identity(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  if (found) return `${found.dev}:${found.ino}`;
  const folder = resolve(dirname(path));
  return join(await realpath(folder).catch(() => folder), basename(path));
}

/** Temporary files of writes under way; they are removed when the process ends meanwhile. */
const unfinished = new Set<string>();

function removeUnfinished(): void {
  for (const path of unfinished) {
    try {
      unlinkSync(path);
    } catch {
      // Already renamed, or not made yet.
    }
  }
}

async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path).slice(0, 64)}.${randomBytes(6).toString("hex")}.tmp`);
  let file: FileHandle | undefined;
  if (unfinished.size === 0) process.on("exit", removeUnfinished);
  unfinished.add(temporary);
  try {
    file = await open(temporary, "wx");
    await file.writeFile(bytes);
    await file.sync();
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    await file?.close().catch(() => {});
    if (file) await unlink(temporary).catch(() => {});
    throw error;
  } finally {
    unfinished.delete(temporary);
    if (unfinished.size === 0) process.off("exit", removeUnfinished);
  }
  await syncFolder(dirname(path));
}

/** Makes the rename itself durable; not every system lets a folder be opened or synced. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => null);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
