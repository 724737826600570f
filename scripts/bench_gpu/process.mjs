/** Runs the steps of a bench as processes: each within what is left of the time, its output kept in a log. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export class Steps {
  /** What was left out, and why. */
  notes = [];

  constructor({ minutes, logs, say }) {
    this.end = Date.now() + minutes * 60_000;
    this.logs = logs;
    this.say = say;
    mkdirSync(logs, { recursive: true });
  }

  get secondsLeft() {
    return Math.max(0, (this.end - Date.now()) / 1000);
  }

  leaveOut(note) {
    this.notes.push(note);
    this.say(`left out: ${note}`);
  }

  /**
   * @param needs seconds below which it is not begun
   * @returns stdout, or null where it was left out or failed; either is noted and the rest goes on
   */
  async run(name, command, args, needs) {
    if (this.secondsLeft < needs) {
      this.leaveOut(`${name}: needs about ${needs} s, ${Math.floor(this.secondsLeft)} are left of --minutes`);
      return null;
    }
    const started = Date.now();
    const result = await execute(command, args, this.secondsLeft * 1000);
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    const file = join(this.logs, `${name.replace(/[^\w.-]+/g, "-")}.log`);
    writeFileSync(file, `$ ${[command, ...args].join(" ")}\n${result.stdout}\n${result.stderr}\n`);
    if (result.code === 0) {
      this.say(`${name}: ${seconds} s`);
      return result.stdout;
    }
    const lines = result.stderr.trim().split("\n");
    const reason = result.timedOut ? "out of time" : (lines.at(-1) ?? `exit code ${result.code}`);
    this.leaveOut(`${name}: ${reason} (after ${seconds} s; ${file})`);
    return null;
  }
}

/** @returns {code, stdout, stderr, timedOut}; a command that is not there has code null */
export function execute(command, args, timeoutMs) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr, timedOut] = ["", "", false];
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGTERM");
      setTimeout(() => child.kill("SIGKILL"), 3000).unref();
    }, timeoutMs);
    const done = (code, error) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr: error ? `${stderr}\n${error.message}` : stderr, timedOut });
    };
    child.on("error", (error) => done(null, error));
    child.on("close", (code) => done(code));
  });
}
