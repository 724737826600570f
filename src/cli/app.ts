/**
 * What every command shares: how the process ends, and where output goes. Results go to stdout, everything else to
 * stderr. Exit codes: 0 done; 2 bad input, usage or adapter; 1 a fault of ours; 128 + n on signal n.
 */
import { constants } from "node:os";
import { type Command, CommanderError, InvalidArgumentError } from "commander";
import { InputError, OutOfMemoryError, S2amError } from "../errors.js";
import { exitNow } from "../gpu/libc.node.js";
import { reason } from "../io/file_source.node.js";

export interface CommandContext {
  /** A line for people, on stderr. */
  readonly note: (line: string) => void;
}

export interface CommonOptions {
  readonly json?: boolean;
  readonly debug?: boolean;
}

/** Adds the options that every command has. */
export const withCommonOptions = (command: Command): Command =>
  command.option("--json", "print one JSON document on stdout").option("--debug", "print stack traces");

/** Runs the program to its exit code, which it returns once all output has left. */
export async function runToExitCode(program: Command, argv: readonly string[]): Promise<number> {
  const debug = argv.includes("--debug");
  endOnSignals();
  const fail = (error: unknown): never => exitNow(reportError(error, debug));
  process.on("uncaughtException", fail);
  guardOutput(fail);
  let code: number;
  try {
    await program.parseAsync([...argv], { from: "user" });
    code = Number(process.exitCode ?? 0);
  } catch (error) {
    code = reportError(error, debug);
  }
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((left) => stream.write("", left))));
  return code;
}

/** What the first signal calls instead of ending the process, while a command has something to finish. */
let finish: (() => void) | null = null;

/** At once, also while the GPU works: outputs are written whole or not at all, so there is nothing to wait for. */
function endOnSignals(): void {
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      const first = finish;
      finish = null;
      if (!first) exitNow(128 + constants.signals[signal]);
      first();
    });
  }
}

/** Lets a command end in its own way at the first signal; the second ends the process. @returns the way back */
export function onFirstSignal(callback: () => void): () => void {
  finish = callback;
  return () => {
    finish = null;
  };
}

/** A reader that has gone (`| head`) is no fault: files are still written. A full disk under a redirection is one. */
function guardOutput(fail: (error: unknown) => never): void {
  process.stderr.on("error", () => {});
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") fail(new InputError(`stdout: cannot be written (${reason(error)})`, { cause: error }));
  });
}

/** Says on stderr what went wrong. @returns the exit code */
function reportError(error: unknown, debug: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // commander has said it
  const known = isAllocationFailure(error)
    ? new OutOfMemoryError("not enough memory for this: use a smaller image or batch", { cause: error })
    : error;
  const ours = !(known instanceof S2amError);
  const message = known instanceof Error ? known.message : String(known);
  const shown = debug && known instanceof Error ? (known.stack ?? message) : message;
  const where = debug ? "" : " (a fault of s2am; --debug shows where)";
  process.stderr.write(`s2am: ${ours ? `internal error: ${shown}${where}` : shown}\n`);
  return ours ? 1 : 2;
}

const isAllocationFailure = (error: unknown): boolean =>
  error instanceof RangeError && /allocation failed|invalid typed array length/i.test(error.message);

/** The one JSON document, or lines for people, on stdout. */
export function printResult(options: CommonOptions, value: unknown, lines: readonly string[]): void {
  process.stdout.write(
    options.json ? `${JSON.stringify(value, null, 2)}\n` : lines.map((line) => `${line}\n`).join(""),
  );
}

/** Parses a number option within a range; commander turns the error into a usage message. */
export const numberBetween =
  (min: number, max: number, kind: "any" | "integer" = "any") =>
  (text: string): number => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (!(value >= min && value <= max) || (kind === "integer" && !Number.isInteger(value))) {
      const what = kind === "integer" ? "a whole number" : "a number";
      throw new InvalidArgumentError(`expected ${what} from ${min} to ${max}.`);
    }
    return value;
  };
