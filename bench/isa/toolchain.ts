/** What the compiler of a card that is not there takes: a C compiler, Vulkan's headers, Mesa's RADV. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { AdapterError } from "../../src/errors.js";

const MANIFEST_FOLDERS = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
const LIBRARY_FOLDERS = [
  `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`,
  "/usr/lib64",
  "/usr/lib",
  "/usr/local/lib",
];
const MESA_HINT =
  "apt-get install -t bookworm-backports mesa-vulkan-drivers (Debian 12), or any Mesa from 25 on with its RADV driver";
/** Vulkan's version in RADV's manifest, from Mesa 25 on. What Mesa prints of a shader was another text before. */
const LEAST_API = [1, 4] as const;

export interface Driver {
  readonly manifest: string;
  readonly library: string;
  /** Of Vulkan. */
  readonly api: string;
}

/**
 * @param manifest of the driver, where it is not where distributions put it (also RADV_ICD)
 * @throws AdapterError in one line: what is missing, and how to get it
 */
export function findDriver(manifest = process.env.RADV_ICD): Driver {
  if (process.platform !== "linux")
    throw new AdapterError(`bench:isa compiles with Mesa's RADV, which ${process.platform} has not: run it on Linux`);
  const file = manifest ?? findManifest();
  if (file === undefined || !existsSync(file))
    throw new AdapterError(`no manifest of Mesa's RADV${file ? ` at ${file}` : ""}: ${MESA_HINT}`);
  const { api, path } = readManifest(file);
  const [major = 0, minor = 0] = api.split(".").map(Number);
  if (major < LEAST_API[0] || (major === LEAST_API[0] && minor < LEAST_API[1]))
    throw new AdapterError(`${file} is of a Mesa before 25 (Vulkan ${api}), which dawn does not take: ${MESA_HINT}`);
  const candidates = path.includes("/")
    ? [path.startsWith("/") ? path : join(dirname(file), path)]
    : LIBRARY_FOLDERS.map((folder) => join(folder, path));
  const library = candidates.find((candidate) => existsSync(candidate));
  if (!library) throw new AdapterError(`${file} names ${path}, which is not in ${candidates.join(", ")}: ${MESA_HINT}`);
  return { manifest: file, library, api };
}

function findManifest(): string | undefined {
  const names = ["radeon_icd.json", "radeon_icd.x86_64.json", "radeon_icd.aarch64.json"];
  return MANIFEST_FOLDERS.flatMap((folder) => names.map((name) => join(folder, name))).find((file) => existsSync(file));
}

function readManifest(file: string): { api: string; path: string } {
  try {
    const { ICD } = JSON.parse(readFileSync(file, "utf8"));
    if (typeof ICD.api_version === "string" && typeof ICD.library_path === "string")
      return { api: ICD.api_version, path: ICD.library_path };
  } catch {
    // Said below.
  }
  throw new AdapterError(`${file} is no manifest of a Vulkan driver: ${MESA_HINT}`);
}

/** A folder that holds the stand-in as libvulkan.so.1; `remove` takes it away again. */
export interface StandIn {
  readonly folder: string;
  remove(): void;
}

/**
 * @param source path of null_vulkan.c
 * @throws AdapterError where no C compiler, or no header of Vulkan, is there
 */
export async function buildStandIn(source: string, signal?: AbortSignal): Promise<StandIn> {
  const folder = mkdtempSync(join(tmpdir(), "s2am-isa-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const compiler = process.env.CC || "gcc";
  const args = ["-shared", "-fPIC", "-O1", "-o", join(folder, "libvulkan.so.1"), source, "-ldl"];
  try {
    await promisify(execFile)(compiler, args, { ...(signal && { signal }) });
    return { folder, remove };
  } catch (cause) {
    remove();
    throw signal?.aborted ? cause : new AdapterError(explain(compiler, cause as CompilerError), { cause });
  }
}

type CompilerError = NodeJS.ErrnoException & { readonly stderr?: string };

function explain(compiler: string, { code, stderr = "", message }: CompilerError): string {
  if (code === "ENOENT") return `no C compiler "${compiler}": apt-get install gcc, or name another in CC`;
  if (/vulkan\/vulkan\.h/.test(stderr)) return "no headers of Vulkan: apt-get install libvulkan-dev";
  if (/(stdlib|stdio|string|dlfcn)\.h/.test(stderr)) return "no headers of the C library: apt-get install libc6-dev";
  const line = stderr.split("\n").find((text) => /error/.test(text)) ?? message;
  return `${compiler} does not compile null_vulkan.c (${line.trim()}): apt-get install gcc libc6-dev libvulkan-dev`;
}
