/** `npm run train -- --data DIR --out RUN ...`: trains S2AM from the repository, as `s2am train` does once installed. */
import { runProgram } from "./src/cli/program.js";

await runProgram(["train", ...process.argv.slice(2)]);
