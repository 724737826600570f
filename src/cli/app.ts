/**
 * What every command shares: exit codes, signals, output. Results go to stdout, everything else to stderr.
 * 0 done; 2 bad input, usage or adapter; 1 a fault of ours; 130 SIGINT.
 */
import { type Command, CommanderError, InvalidArgumentError } from "commander";
import { AbortedError, S2amError } from "../errors.js";

export interface CommandContext {
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** A line for people, on stderr. */
  readonly note: (line: string) => void;
}

export interface CommonOptions {
  readonly json?: boolean;
  readonly debug?: boolean;
}

const FORCED_EXIT_MS = 1500;

/** Adds the options that every command has. */
export const withCommonOptions = (command: Command): Command =>
  command.option("--json", "print one JSON document on stdout").option("--debug", "print stack traces");

/** Runs a command to its exit code: the only place that decides one. */
export async function runToExitCode(program: Command, argv: readonly string[], controller: AbortController): Promise<number> {
  const stop = (code: number) => (): void => {
    if (controller.signal.aborted) process.exit(code);
    process.exitCode = code;
    controller.abort();
    setTimeout(() => process.exit(code), FORCED_EXIT_MS).unref();
  };
  process.on("SIGINT", stop(130));
  process.on("SIGTERM", stop(143));
  const debug = argv.includes("--debug");
  try {
    await program.parseAsync([...argv], { from: "user" });
    return controller.signal.aborted ? Number(process.exitCode) : Number(process.exitCode ?? 0);
  } catch (error) {
    if (controller.signal.aborted || error instanceof AbortedError) return Number(process.exitCode ?? 130);
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const message = error instanceof Error ? error.message : String(error);
    const ours = !(error instanceof S2amError);
    const shown = debug && error instanceof Error ? (error.stack ?? message) : message;
    process.stderr.write(`s2am: ${ours ? `internal error: ${shown} (a fault of s2am; --debug shows where)` : shown}\n`);
    return ours ? 1 : 2;
  }
}

/** The one JSON document, or lines for people, on stdout. */
export function printResult(options: CommonOptions, value: unknown, lines: readonly string[]): void {
  process.stdout.write(options.json ? `${JSON.stringify(value, null, 2)}\n` : lines.map((line) => `${line}\n`).join(""));
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
