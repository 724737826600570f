/** An engine's side of the bench: a process that prepares one job and then runs it as often as it is asked to. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Job } from "./jobs.js";

/** What the first run gives, to be compared with this engine's: NHWC. */
export interface Outputs {
  readonly y: Float32Array;
  /** Of the first training step. */
  readonly loss?: number;
}

export interface Prepared {
  readonly outputs: Outputs;
  /** Of the plain algorithm, where the engine knows. */
  readonly flops?: number;
  /** The adapter, where the engine tells. */
  readonly adapter?: string;
  /** One run from host memory to host memory. */
  run(): Promise<void>;
}

export interface Engine {
  readonly version: string;
  /** @throws Error saying why the engine cannot do this job */
  prepare(job: Job): Promise<Prepared>;
}

/** Runs until `ms` have passed, but at least and at most so many. */
export interface Turn {
  readonly least: number;
  readonly most: number;
  readonly ms: number;
}

export type Request = { readonly type: "prepare"; readonly job: Job } | ({ readonly type: "run" } & Turn);

/** What is known of an engine once it is prepared. */
export interface Readiness extends Omit<Prepared, "run"> {
  readonly version: string;
  /** Vulkan drivers that its process has loaded. */
  readonly drivers: readonly string[];
}

export type Reply =
  | ({ readonly type: "ready" } & Readiness)
  | { readonly type: "times"; readonly ms: readonly number[] }
  | { readonly type: "failed"; readonly message: string };

const require = createRequire(import.meta.url);

/** The other engines are no dependencies of the project, so their types are not there either: callers say what they use. */
export const load = (name: string): unknown => require(name);

/** Packages hide their package.json behind "exports", so the version is read off the file. */
export function versionOf(name: string): string {
  const paths = require.resolve.paths(name) ?? [];
  for (const path of paths) {
    try {
      return JSON.parse(readFileSync(`${path}/${name}/package.json`, "utf8")).version;
    } catch {
      // Not in this folder.
    }
  }
  return "unknown";
}

/** Answers the bench's requests until the process is ended by it. */
export function serve(engine: Engine): void {
  let prepared: Prepared | null = null;
  const reply = (message: Reply): void => void process.send?.(message);
  const answer = async (request: Request): Promise<void> => {
    if (request.type === "prepare") {
      prepared = await engine.prepare(request.job);
      const { run: _, ...rest } = prepared;
      reply({ type: "ready", version: engine.version, drivers: mappedDrivers(), ...rest });
      return;
    }
    if (!prepared) throw new Error("asked to run before anything was prepared");
    const ms: number[] = [];
    const began = performance.now();
    while (ms.length < request.least || (ms.length < request.most && performance.now() - began < request.ms)) {
      const started = performance.now();
      await prepared.run();
      ms.push(performance.now() - started);
    }
    reply({ type: "times", ms });
  };
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL")); // the bench has gone
  process.on("message", (request: Request) => {
    answer(request).catch((error: unknown) => {
      reply({ type: "failed", message: error instanceof Error ? error.message : String(error) });
    });
  });
}

/** The Vulkan drivers that this process has loaded (Linux): the proof that all engines run on the same one. */
function mappedDrivers(): string[] {
  try {
    const maps = readFileSync("/proc/self/maps", "utf8");
    const driver = /\/(libvulkan_[a-z]+\.so|libvk_swiftshader\.so|libGLX_nvidia\.so)/g;
    return [...new Set([...maps.matchAll(driver)].map((match) => match[1] ?? ""))].sort();
  } catch {
    return [];
  }
}
