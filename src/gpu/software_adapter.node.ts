/**
 * The software adapter that travels with the package: SwiftShader and a Vulkan loader, out of @sparticuz/chromium. They
 * are unpacked once to a cache folder. With them a machine needs neither a GPU nor any Vulkan of its own.
 */
import { randomUUID } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { AdapterError } from "../errors.js";
import { cacheFolders, userId } from "./cache_folder.node.js";

export interface BundledVulkan {
  folder: string;
  /** libvulkan.so.1, to be loaded before dawn looks for one. */
  loader: string;
  /** The manifest that leads a Vulkan loader to SwiftShader. */
  manifest: string;
}

const LOADER = "libvulkan.so.1";
const MANIFEST = "vk_swiftshader_icd.json";
const FILES: readonly string[] = [LOADER, MANIFEST, "libvk_swiftshader.so"];
/** Written last, so its presence says the rest is whole: { file: bytes }. */
const INVENTORY = "files.json";

let unpacked: BundledVulkan | undefined;

/** @throws AdapterError on another platform than Linux x64, without the archive, or with nowhere to unpack it */
export function bundledVulkan(): BundledVulkan {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new AdapterError(
      `the bundled software adapter is made for Linux x64, this is ${process.platform} ${process.arch}: choose auto, or install a Vulkan driver`,
    );
  }
  unpacked = unpacked && isWhole(unpacked.folder) ? unpacked : unpackOnce(findArchive(), cacheFolders());
  return unpacked;
}

interface Archive {
  path: string;
  /** Names the folder it is unpacked to, so another version never meets these files. */
  key: string;
}

function findArchive(): Archive {
  try {
    // The package exports its entry point alone; its files lie beside it.
    const entry = createRequire(import.meta.url).resolve("@sparticuz/chromium");
    let root = dirname(entry);
    while (!existsSync(join(root, "bin"))) {
      if (root === dirname(root)) throw new Error(`no bin folder above ${entry}`);
      root = dirname(root);
    }
    const path = join(root, "bin", "swiftshader.tar.br");
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    return { path, key: `swiftshader-${version}-${statSync(path).size}` };
  } catch (cause) {
    throw new AdapterError(
      "the bundled software adapter is missing (@sparticuz/chromium, bin/swiftshader.tar.br): run npm install again",
      { cause },
    );
  }
}

function unpackOnce(archive: Archive, parents: readonly string[]): BundledVulkan {
  const problems: string[] = [];
  for (const parent of parents) {
    const folder = join(parent, archive.key);
    try {
      mkdirSync(parent, { recursive: true, mode: 0o700 });
      refuseStrangersFolder(parent);
      if (!isWhole(folder)) unpack(archive, folder);
      return { folder, loader: join(folder, LOADER), manifest: join(folder, MANIFEST) };
    } catch (error) {
      problems.push(`${parent}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new AdapterError(
    `nowhere to unpack the bundled software adapter (15 MB): set XDG_CACHE_HOME to a writable folder (${problems.join("; ")})`,
  );
}

/** What lies here is loaded into this process, so nobody else may be able to write it. */
function refuseStrangersFolder(folder: string): void {
  const stat = lstatSync(folder);
  if (!stat.isDirectory() || stat.uid !== userId() || (stat.mode & 0o022) !== 0) {
    throw new Error("it belongs to, or can be written by, another user");
  }
}

function isWhole(folder: string): boolean {
  try {
    const sizes = JSON.parse(readFileSync(join(folder, INVENTORY), "utf8")) as Record<string, number>;
    return FILES.every((file) => statSync(join(folder, file)).size === sizes[file]);
  } catch {
    return false;
  }
}

/** Unpacks beside the folder and renames, so that other processes see all of it or nothing. */
function unpack(archive: Archive, folder: string): void {
  const scratch = `${folder}.${randomUUID()}`;
  mkdirSync(scratch, { mode: 0o700 });
  try {
    const contents = readTar(brotliDecompressSync(readFileSync(archive.path)));
    const sizes: Record<string, number> = {};
    for (const file of FILES) {
      const bytes = contents.get(file);
      if (!bytes) throw new AdapterError(`${archive.path} holds no ${file}: run npm install again`);
      sizes[file] = bytes.length;
      writeFileSync(join(scratch, file), bytes, { mode: 0o755 });
    }
    writeFileSync(join(scratch, INVENTORY), JSON.stringify(sizes));
    moveInto(scratch, folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** A folder in the way is either another process's (whole: keep it) or damaged (move it aside; it may be in use). */
function moveInto(scratch: string, folder: string): void {
  for (let attempt = 0; attempt < 8 && !isWhole(folder); attempt++) {
    const aside = `${folder}.${randomUUID()}`;
    try {
      if (existsSync(folder)) {
        renameSync(folder, aside);
        rmSync(aside, { recursive: true, force: true });
      }
      renameSync(scratch, folder);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOENT") throw error;
    }
  }
  if (!isWhole(folder)) throw new Error(`${folder} is not whole after unpacking`);
}

/** Regular files of an uncompressed ustar archive, by name. */
function readTar(tar: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const text = (start: number, length: number): string =>
    tar.toString("latin1", start, start + length).replace(/\0.*$/s, "");
  for (let header = 0; header + 512 <= tar.length && tar[header] !== 0; ) {
    const size = Number.parseInt(text(header + 124, 12), 8);
    if (!(size >= 0)) throw new Error("damaged tar archive");
    const kind = text(header + 156, 1);
    if (kind === "0" || kind === "") files.set(text(header, 100), tar.subarray(header + 512, header + 512 + size));
    header += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
