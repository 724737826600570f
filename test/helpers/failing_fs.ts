/** A file system whose n-th call of one kind fails, as full disks, dying ones and missing rights make it. */
import * as real from "node:fs/promises";
import type { FileSystem } from "../../src/io/file_system.node.js";

export type Call = "mkdir" | "open" | "write" | "sync" | "close" | "rename";

/** The error that Node gives. */
export const systemError = (code: string, call: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: made to fail, ${call}`), { code });

export interface FailingFs {
  readonly fs: FileSystem;
  /** How often each call was made. */
  readonly calls: Record<Call, number>;
}

/** @param fault "short": the write takes half of what it is given, once; "stuck": it takes nothing; else an error's code */
export function failingFs(failing?: { call: Call; nth: number; fault: string }): FailingFs {
  const calls: Record<Call, number> = { mkdir: 0, open: 0, write: 0, sync: 0, close: 0, rename: 0 };
  const isDue = (call: Call): boolean => ++calls[call] === failing?.nth && failing.call === call;
  const guard = (call: Call): void => {
    if (isDue(call)) throw systemError(failing?.fault ?? "", call);
  };
  const wrap = (file: real.FileHandle): real.FileHandle =>
    new Proxy(file, {
      get(target, name) {
        if (name === "write") {
          return async (bytes: Uint8Array, offset: number, length: number, position: number) => {
            if (!isDue("write")) return target.write(bytes, offset, length, position);
            if (failing?.fault === "stuck") return { bytesWritten: 0, buffer: bytes };
            if (failing?.fault === "short") return target.write(bytes, offset, Math.ceil(length / 2), position);
            await target.write(bytes, offset, Math.ceil(length / 3), position);
            throw systemError(failing?.fault ?? "", "write");
          };
        }
        if (name === "sync") {
          return async () => {
            guard("sync");
            await target.sync();
          };
        }
        if (name === "close") {
          return async () => {
            await target.close();
            guard("close");
          };
        }
        return Reflect.get(target, name);
      },
    });
  const fs = {
    readdir: real.readdir,
    unlink: real.unlink,
    mkdir: async (path: string) => {
      guard("mkdir");
      return real.mkdir(path);
    },
    open: async (path: string, flags: string) => {
      guard("open");
      return wrap(await real.open(path, flags));
    },
    rename: async (from: string, to: string) => {
      guard("rename");
      await real.rename(from, to);
    },
  };
  return { fs: fs as unknown as FileSystem, calls };
}
