/** The commands of `s2am`. One file a command; this one only gathers them. */
import { Command } from "commander";
import { exitNow } from "../gpu/libc.node.js";
import { packageVersion } from "../package.node.js";
import { runToExitCode } from "./app.js";
import { benchCommand } from "./bench.js";
import { convertCommand } from "./convert.js";
import { doctorCommand } from "./doctor.js";
import { evalCommand } from "./eval.js";
import { exportCommand } from "./export.js";
import { harmonizeCommand } from "./harmonize.js";
import { runCommand } from "./run.js";
import { synthCommand } from "./synth.js";
import { trainCommand } from "./train.js";
import { tuneCommand } from "./tune.js";

const context = { note: (line: string) => void process.stderr.write(`${line}\n`) };

const EXAMPLES = `
Examples:
  s2am harmonize composite.jpg mask.png -o harmonized.jpg
  s2am synth --photos photos --count 1000 --out data
  s2am train --data photos --width 16 --epochs 20 --out run
  s2am eval --data photos --protocol iharmony4
  s2am doctor
  s2am help harmonize`;

/** Runs one command line, without `node` and the script before it, and ends the process. */
export async function runProgram(argv: readonly string[]): Promise<never> {
  const program = new Command("s2am")
    .description("Image harmonization on WebGPU: makes a pasted region match its background.")
    .version(packageVersion())
    .addHelpText("after", EXAMPLES)
    .showHelpAfterError("(add --help for usage)")
    .exitOverride();
  for (const build of [
    harmonizeCommand,
    runCommand,
    convertCommand,
    exportCommand,
    synthCommand,
    trainCommand,
    evalCommand,
    doctorCommand,
    benchCommand,
    tuneCommand,
  ]) {
    program.addCommand(build(context).exitOverride().showHelpAfterError("(add --help for usage and examples)"));
  }
  // Not by running out of work: a driver's threads crash in the destructors of a process that ends by itself.
  return exitNow(await runToExitCode(program, argv));
}
