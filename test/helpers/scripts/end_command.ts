/** A command that ends in the way named on the command line, through the same door as those of s2am. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { printResult, runToExitCode, withCommonOptions } from "../../../src/cli/app.js";
import { exitNow } from "../../../src/gpu/libc.node.js";
import { writeFileAtomic } from "../../../src/io/file_write.node.js";

const forever = new Promise(() => setInterval(() => {}, 1000));

const endings: Record<string, (argument: string) => unknown> = {
  throw: () => {
    throw new TypeError("on purpose");
  },
  "throw later": () => {
    setTimeout(() => {
      throw new TypeError("on purpose");
    });
    return forever;
  },
  "reject alone": () => {
    void Promise.reject(new TypeError("on purpose"));
    return forever;
  },
  "allocate too much": () => new ArrayBuffer(2 ** 52),
  "print much": () => printResult({}, null, ["x".repeat(4 << 20)]),
  /** Says "writing" once the temporary file is there. */
  "write much": async (folder) => {
    const written = writeFileAtomic(join(folder, "much.bin"), new Uint8Array(1 << 30));
    while (!readdirSync(folder).some((name) => name.endsWith(".tmp"))) await new Promise((turn) => setImmediate(turn));
    process.stdout.write("writing\n");
    await written;
    if (existsSync(join(folder, "much.bin"))) await forever;
  },
};

const program = withCommonOptions(new Command("end_command").argument("<ending>").argument("[argument]", "", ""));
program.action(async (name: string, argument: string) => void (await endings[name]?.(argument)));
exitNow(await runToExitCode(program.exitOverride(), process.argv.slice(2)));
