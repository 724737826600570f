/** The command line as a child process of its own group: what interrupts the bench reaches it once, by the bench's hand. */
import { spawn } from "node:child_process";
import { appendFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { CommandError, type StepEvent } from "./runs.js";

const STDERR_KEPT = 4000;

export interface ChildOptions {
  /** The script that Node runs. */
  readonly script: string;
  /** Keeps commands, and what they said but for their steps. */
  readonly log: string;
  readonly onStart: (pid: number) => Promise<void>;
}

export class CommandLine {
  private current: ReturnType<typeof spawn> | null = null;

  constructor(private readonly options: ChildOptions) {}

  /** Passes a signal on to what runs now. @returns whether anything does */
  signal(signal: NodeJS.Signals): boolean {
    return this.current?.kill(signal) ?? false;
  }

  /** @returns the JSON document on stdout; throws a CommandError where the exit code is not 0 */
  async run(args: readonly string[], onEvent: (event: StepEvent) => void): Promise<unknown> {
    const { script, log, onStart } = this.options;
    const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "pipe"], detached: true });
    this.current = child;
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    const lines = createInterface({ input: child.stderr });
    lines.on("line", (line) => {
      const event = eventOf(line);
      if (event) onEvent(event);
      if (event?.event !== "step") stderr += `${line}\n`;
    });
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    try {
      if (child.pid !== undefined) await onStart(child.pid);
      const code = await ended;
      await appendFile(log, `$ s2am ${args.join(" ")}\n${stderr}${code === 0 ? "" : `exit code ${code}\n`}`);
      if (code === 0) return JSON.parse(stdout);
      const said = stderr.slice(-STDERR_KEPT).trim().split("\n").at(-1);
      throw new CommandError(`s2am ${args[0]} ended with ${code ?? "a signal"}: ${said || "it said nothing"}`);
    } finally {
      this.current = null;
    }
  }
}

function eventOf(line: string): StepEvent | null {
  if (!line.startsWith("{")) return null;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "event" in value ? (value as StepEvent) : null;
  } catch {
    return null;
  }
}
