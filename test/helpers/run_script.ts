/** Runs a TypeScript file in a process of its own, bundled first: for what only a whole process shows. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

export interface ProcessResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  milliseconds: number;
}

/** @returns the path of a bundle of `file`, named by its content, inside the project so that packages resolve */
export async function bundleScript(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "warning",
    write: false,
  });
  const code = outputFiles[0]?.text ?? "";
  const folder = join(ROOT, "out", "test-scripts");
  const hash = createHash("sha256").update(code).digest("hex").slice(0, 16);
  const path = join(folder, `${basename(file, ".ts")}-${hash}.mjs`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${path}.${process.pid}`, code);
  renameSync(`${path}.${process.pid}`, path);
  return path;
}

export interface RunOptions {
  args?: readonly string[];
  /** Added to this process's environment; undefined removes. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Sent once `signalAfter` appears on stdout or stderr. */
  signal?: NodeJS.Signals;
  signalAfter?: string;
  timeoutMs?: number;
}

export function runScript(bundle: string, options: RunOptions = {}): Promise<ProcessResult> {
  if (!existsSync(bundle)) throw new Error(`${bundle} does not exist: bundleScript first`);
  const start = performance.now();
  const child = spawn(process.execPath, [bundle, ...(options.args ?? [])], {
    env: { ...process.env, ...options.env },
    ...(options.cwd && { cwd: options.cwd }),
    stdio: ["ignore", "pipe", "pipe"],
    timeout: options.timeoutMs ?? 30_000,
    killSignal: "SIGKILL",
  });
  let stdout = "";
  let stderr = "";
  let signalled = false;
  const signalOnce = (): void => {
    if (!options.signal || signalled || !(stdout + stderr).includes(options.signalAfter ?? "")) return;
    signalled = true;
    child.kill(options.signal);
  };
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    signalOnce();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
    signalOnce();
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({ code, signal, stdout, stderr, milliseconds: performance.now() - start }),
    );
  });
}
