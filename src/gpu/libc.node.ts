/**
 * What opening a Vulkan adapter wants of the process and Node does not offer: a library loaded for everyone, the
 * environment as C sees it (in a worker thread process.env is only a copy), and the C stderr.
 */
import { closeSync, fstatSync, openSync, readSync, unlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import type { LibraryHandle } from "koffi";

interface Libc {
  dup(fd: number): number;
  dup2(from: number, to: number): number;
  close(fd: number): number;
  flock(fd: number, operation: number): number;
  setenv(name: string, value: string, overwrite: number): number;
  unsetenv(name: string): number;
  _exit(code: number): void;
}

let libc: Libc | null | undefined;
const libraries = new Map<string, LibraryHandle>();

// Required rather than imported: where koffi has no binary (an uncommon platform), dawn can still work without it.
const koffi = (): typeof import("koffi") => createRequire(import.meta.url)("koffi");

function loadLibc(): Libc | null {
  if (libc !== undefined) return libc;
  libc = null;
  if (process.platform === "win32") return libc;
  try {
    const self = koffi().load(null);
    libc = {
      dup: self.func("int dup(int)"),
      dup2: self.func("int dup2(int, int)"),
      close: self.func("int close(int)"),
      flock: self.func("int flock(int, int)"),
      setenv: self.func("int setenv(const char*, const char*, int)"),
      unsetenv: self.func("int unsetenv(const char*)"),
      _exit: self.func("void _exit(int)"),
    };
  } catch {
    // Without koffi nothing is captured, and the environment is Node's.
  }
  return libc;
}

/** dlopen with RTLD_GLOBAL, kept for the life of the process: a later dlopen of the same soname finds it. */
export function loadLibrary(path: string): void {
  if (!libraries.has(path)) libraries.set(path, koffi().load(path, { global: true }));
}

/**
 * Runs a synchronous native call with C environment variables set (undefined: unset) and the C stderr caught: returns
 * what was written there, line by line, instead of letting it reach the terminal. Environment and stderr belong to the
 * whole process and are put back before this returns; until then other threads' calls of this function wait. Outside
 * Linux, where none of it is needed, the call just runs; in a worker stderr is left alone.
 */
export function callNative<T>(
  variables: Readonly<Record<string, string | undefined>>,
  call: () => T,
): { value: T; lines: string[] } {
  const c = process.platform === "linux" ? loadLibc() : null;
  if (!c) return { value: call(), lines: [] };
  const lock = lockProcess(c);
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  // In a worker the main thread goes on writing to stderr, and its lines would be caught as well.
  const scratch = isMainThread ? openScratch() : null;
  const terminal = scratch === null ? -1 : c.dup(2);
  try {
    setEnvironment(c, variables);
    if (scratch !== null && terminal >= 0) c.dup2(scratch, 2);
    const value = call();
    return { value, lines: scratch === null ? [] : readLines(scratch) };
  } finally {
    if (terminal >= 0) {
      c.dup2(terminal, 2);
      c.close(terminal);
    }
    if (scratch !== null) closeSync(scratch);
    setEnvironment(c, before);
    if (lock !== null) closeSync(lock);
  }
}

function setEnvironment(c: Libc, variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) {
      delete process.env[name];
      c.unsetenv(name);
    } else {
      process.env[name] = value;
      c.setenv(name, value, 1);
    }
  }
}

/** A lock that the threads of this process share, on a file that each process has its own of; closing it unlocks. */
function lockProcess(c: Libc): number | null {
  const LOCK_EX = 2;
  try {
    const file = openSync("/proc/self/environ", "r");
    c.flock(file, LOCK_EX);
    return file;
  } catch {
    return null;
  }
}

/**
 * process.exit, without the destructors of native libraries: a driver that still compiles or computes in its own threads
 * crashes in them. Listeners on "exit" run. For programs; a library leaves the process to its owner.
 */
export function exitNow(code: number): never {
  process.exitCode = code;
  process.emit("exit", code);
  loadLibc()?._exit(code);
  process.exit(code);
}

function openScratch(): number | null {
  const path = join(tmpdir(), `s2am-stderr-${process.pid}-${Date.now()}`);
  try {
    const file = openSync(path, "wx+", 0o600);
    unlinkSync(path);
    return file;
  } catch {
    return null;
  }
}

function readLines(file: number): string[] {
  const bytes = Buffer.alloc(Math.min(fstatSync(file).size, 1 << 16));
  const length = readSync(file, bytes, 0, bytes.length, 0);
  return bytes
    .toString("utf8", 0, length)
    .split("\n")
    .filter((line) => line.trim() !== "");
}
