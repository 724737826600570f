/** The command line `s2am`. One file a command; this one only gathers them. */
import { Command } from "commander";
import { packageVersion } from "../package.node.js";
import { runToExitCode } from "./app.js";
import { benchCommand } from "./bench.js";
import { convertCommand } from "./convert.js";
import { doctorCommand } from "./doctor.js";
import { harmonizeCommand } from "./harmonize.js";
import { runCommand } from "./run.js";

const controller = new AbortController();
const context = { signal: controller.signal, note: (line: string) => void process.stderr.write(`${line}\n`) };

const program = new Command("s2am")
  .description("Image harmonization on WebGPU: makes a pasted region match its background.")
  .version(packageVersion())
  .showHelpAfterError("(add --help for usage)")
  .exitOverride();
for (const build of [harmonizeCommand, runCommand, convertCommand, doctorCommand, benchCommand]) {
  program.addCommand(build(context).exitOverride().showHelpAfterError("(add --help for usage and examples)"));
}

const code = await runToExitCode(program, process.argv.slice(2), controller);
// Set rather than exit(): what is still on its way to a pipe must arrive. The devices are closed, so nothing keeps Node.
process.exitCode = code;
