/** The command line `s2am`. One file a command; this one only gathers them. */
import { Command } from "commander";
import { exitNow } from "../gpu/libc.node.js";
import { packageVersion } from "../package.node.js";
import { runToExitCode } from "./app.js";
import { benchCommand } from "./bench.js";
import { convertCommand } from "./convert.js";
import { doctorCommand } from "./doctor.js";
import { harmonizeCommand } from "./harmonize.js";
import { runCommand } from "./run.js";

const context = { note: (line: string) => void process.stderr.write(`${line}\n`) };

const EXAMPLES = `
Examples:
  s2am harmonize composite.jpg mask.png -o harmonized.jpg
  s2am doctor
  s2am help harmonize`;

const program = new Command("s2am")
  .description("Image harmonization on WebGPU: makes a pasted region match its background.")
  .version(packageVersion())
  .addHelpText("after", EXAMPLES)
  .showHelpAfterError("(add --help for usage)")
  .exitOverride();
for (const build of [harmonizeCommand, runCommand, convertCommand, doctorCommand, benchCommand]) {
  program.addCommand(build(context).exitOverride().showHelpAfterError("(add --help for usage and examples)"));
}

// Not by running out of work: a driver's threads crash in the destructors of a process that ends by itself.
exitNow(await runToExitCode(program, process.argv.slice(2)));
