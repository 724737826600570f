/** The command line `s2am`. */
import { runProgram } from "./program.js";

await runProgram(process.argv.slice(2));
