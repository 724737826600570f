/** Deno and the Vulkan drivers that it is run on: the bundled SwiftShader and the system's lavapipe. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bundledVulkan } from "../../src/gpu/software_adapter.node.js";
import { findLavapipe } from "../helpers/lavapipe.js";

const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, "../..");

/** The binary that npm installed. @throws Error with the command that does */
export function findDeno(): string {
  const folder = join(here, "node_modules", "@deno");
  const platform = existsSync(folder) ? readdirSync(folder)[0] : undefined;
  const binary = platform && join(folder, platform, process.platform === "win32" ? "deno.exe" : "deno");
  if (!binary || !existsSync(binary)) throw new Error("Deno is missing: npm ci --prefix test/deno --ignore-scripts");
  return binary;
}

export interface DenoAdapter {
  readonly name: string;
  /** As Node's `openDevice` knows it. */
  readonly choice: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Lavapipe where it is installed; said loudly where not, and in CI an error. */
export function denoAdapters(): DenoAdapter[] {
  const { folder, manifest } = bundledVulkan();
  const path = [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter);
  const bundled = {
    name: "SwiftShader",
    choice: "bundled",
    environment: { VK_ICD_FILENAMES: manifest, VK_DRIVER_FILES: manifest, LD_LIBRARY_PATH: path },
  };
  const lavapipe = findLavapipe();
  if (!lavapipe) return [bundled];
  const files = { VK_ICD_FILENAMES: lavapipe, VK_DRIVER_FILES: lavapipe };
  return [bundled, { name: "lavapipe", choice: "llvmpipe", environment: files }];
}

/** Bundles an entry of this folder for Deno. @returns the file */
export async function bundle(entry: string): Promise<string> {
  const folder = join(tmpdir(), `s2am-deno-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, entry.replace(/\.ts$/, ".mjs"));
  await build({
    absWorkingDir: root,
    entryPoints: [join(here, entry)],
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
    logLevel: "warning",
  });
  return outfile;
}

/** Runs Deno to its end. @returns what it wrote on stdout; stderr passes through */
export function runDeno(
  args: readonly string[],
  { environment }: DenoAdapter,
): Promise<{ code: number; stdout: string }> {
  const env = { ...process.env, ...environment, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
  const child = spawn(findDeno(), args, { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, stdout }));
  });
}
