/** Compiles a workload for families of cards that are not there, each in a process of its own. */
import { spawn } from "node:child_process";
import { AbortedError, AdapterError, InputError, UsageError, WeightsError } from "../../src/errors.js";
import type { Family } from "./families.js";
import { figuresOf, type KernelFigures } from "./figures.js";
import type { CompiledKernel, FromChild, UsedKernel } from "./messages.js";
import { type KernelOutput, outsideOf, parseOutput } from "./output.js";
import { buildStandIn, findDriver } from "./toolchain.js";
import type { Workload } from "./workload.js";

export interface CompileOptions {
  readonly workload: Workload;
  readonly families: readonly Family[];
  /** Bundle of child.ts. */
  readonly child: string;
  /** Path of null_vulkan.c. */
  readonly standIn: string;
  readonly signal?: AbortSignal | undefined;
  readonly onFamily?: (family: Family) => void;
}

export interface CompiledFamily {
  readonly family: Family;
  /** "radv: Mesa 25.0.7" */
  readonly driver: string;
  /** As read off the weights, where those were given. */
  readonly workload: Workload;
  readonly kernels: readonly CompiledKernel[];
  readonly outputs: readonly KernelOutput[];
  readonly used: readonly UsedKernel[];
  readonly figures: readonly KernelFigures[];
}

/**
 * @throws AdapterError where a compiler or driver is missing; AbortedError; what the workload's own checks throw; Error
 *   where a shader does not compile
 */
export async function compileFamilies(options: CompileOptions): Promise<CompiledFamily[]> {
  const { families, signal, onFamily = () => {} } = options;
  const driver = findDriver();
  const standIn = await buildStandIn(options.standIn, signal);
  try {
    const compiled: CompiledFamily[] = [];
    for (const family of families) {
      onFamily(family);
      compiled.push(await compileFamily(family, options, { driver: driver.library, folder: standIn.folder }));
    }
    return compiled;
  } catch (error) {
    throw signal?.aborted ? new AbortedError("bench:isa: interrupted", { cause: error }) : error;
  } finally {
    standIn.remove();
  }
}

interface Place {
  /** Path of the driver's library. */
  readonly driver: string;
  /** Of the stand-in. */
  readonly folder: string;
}

/** Nothing of the caller's own settings of Mesa or Vulkan may change what is compiled. */
function environment(family: Family, { driver, folder }: Place): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(RADV|ACO|AMD|MESA|VK|S2AM)_/.test(name));
  return {
    ...Object.fromEntries(own),
    S2AM_NULL_VULKAN_DRIVER: driver,
    LD_LIBRARY_PATH: [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(":"),
    RADV_FORCE_FAMILY: family.name,
    RADV_DEBUG: "asm,shaderstats,nocache",
    MESA_SHADER_CACHE_DISABLE: "true",
  };
}

async function compileFamily(family: Family, options: CompileOptions, place: Place): Promise<CompiledFamily> {
  const { child, workload, signal } = options;
  const { message, stderr, ending } = await runChild(child, workload, environment(family, place), signal);
  if (!message) {
    const said = outsideOf(stderr).split("\n").slice(-3).join("; ");
    throw new Error(`${family.name}: the compiling process ${ending}: ${said || "it said nothing"}`);
  }
  if (message.kind === "failed") throw errorOf(family, message);
  const { driver, kernels, used } = message;
  const outputs = parseOutput(stderr);
  const figures = figuresOf(kernels, used, outputs);
  return { family, driver, workload: message.workload, kernels, outputs, used, figures };
}

function errorOf({ name }: Family, { code, message }: Extract<FromChild, { kind: "failed" }>): Error {
  const text = `${name}: ${message}`;
  if (code === "ADAPTER") return new AdapterError(text);
  if (code === "WEIGHTS") return new WeightsError(message);
  if (code === "INPUT") return new InputError(message);
  return code === null ? new Error(text) : new UsageError(text);
}

interface ChildResult {
  readonly message: FromChild | null;
  readonly stderr: string;
  /** "ended with 3", "was killed by SIGSEGV" */
  readonly ending: string;
}

/** The driver's listings are some megabytes on stderr; the child ends by itself when this process does. */
function runChild(
  child: string,
  workload: Workload,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    const started = spawn(process.execPath, [child, JSON.stringify(workload)], {
      env,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      killSignal: "SIGKILL",
      ...(signal && { signal }),
    });
    const chunks: Buffer[] = [];
    let message: FromChild | null = null;
    started.stderr?.on("data", (chunk: Buffer) => chunks.push(chunk));
    started.on("message", (received) => {
      message = received as FromChild;
    });
    started.on("error", reject);
    started.on("close", (code, killed) => {
      const stderr = Buffer.concat(chunks).toString("utf8");
      resolve({ message, stderr, ending: killed ? `was killed by ${killed}` : `ended with ${code}` });
    });
  });
}
