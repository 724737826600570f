/** The bench's side of an engine: a child process, one question at a time. */
import { type ChildProcess, fork } from "node:child_process";
import type { Reply, Request, Turn } from "./engine.js";
import type { Job } from "./jobs.js";
import type { EngineHandle } from "./measure.js";

export interface EngineSpec {
  /** What tables and results call it. */
  readonly name: string;
  /** Of the bundled file in `engines/`. */
  readonly file: string;
  readonly args: readonly string[];
}

const STDERR_KEPT = 2000;

export class EngineProcess implements EngineHandle {
  private readonly child: ChildProcess;
  private stderr = "";

  constructor(
    private readonly spec: EngineSpec,
    file: string,
    env: NodeJS.ProcessEnv,
    private readonly timeoutMs: number,
  ) {
    this.child = fork(file, [...spec.args], {
      env,
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.stderr = (this.stderr + chunk.toString()).slice(-STDERR_KEPT);
    });
  }

  get name(): string {
    return this.spec.name;
  }

  prepare(job: Job): Promise<Extract<Reply, { type: "ready" }>> {
    return this.ask({ type: "prepare", job }, "ready");
  }

  async run(turn: Turn): Promise<readonly number[]> {
    return (await this.ask({ type: "run", ...turn }, "times")).ms;
  }

  stop(): void {
    this.child.removeAllListeners();
    this.child.kill("SIGKILL"); // nothing of it is to be kept, and drivers' threads may crash in an orderly end
  }

  /** @throws Error with the engine's own message, or how its process ended */
  private async ask<Type extends "ready" | "times">(
    request: Request,
    expected: Type,
  ): Promise<Extract<Reply, { type: Type }>> {
    const reply = await this.exchange(request);
    if (reply.type === "failed") throw new Error(reply.message);
    if (reply.type !== expected) throw new Error(`answered "${reply.type}" to "${request.type}"`);
    return reply as Extract<Reply, { type: Type }>;
  }

  private exchange(request: Request): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const finish = (act: () => void): void => {
        clearTimeout(timer);
        this.child.off("message", onMessage).off("exit", onExit);
        act();
      };
      const onMessage = (reply: Reply): void => finish(() => resolve(reply));
      const onExit = (code: number | null, signal: string | null): void =>
        finish(() => reject(new Error(`its process ended (${signal ?? `code ${code}`}): ${this.lastWords()}`)));
      const timer = setTimeout(() => {
        finish(() => reject(new Error(`no answer to "${request.type}" in ${this.timeoutMs / 1000} s`)));
        this.stop();
      }, this.timeoutMs);
      this.child.on("message", onMessage).on("exit", onExit);
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        onExit(this.child.exitCode, this.child.signalCode);
        return;
      }
      this.child.send(request);
    });
  }

  private lastWords(): string {
    const lines = this.stderr.split("\n").filter((line) => line.trim() !== "" && !/^\s+at |^Node\.js v/.test(line));
    return lines.slice(-3).join(" | ") || "nothing on stderr";
  }
}
