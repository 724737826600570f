/** What the tests run in Deno: one of the jobs of work.ts, on Deno's own adapter, with the built library. JSON on stdout. */
import { readFileSync } from "node:fs";
import { openDevice } from "../../src/gpu/device.js";
import { errors, type Library, picture, smallWeights, training } from "./work.js";

const [job, distribution = "", weightsFile = ""] = process.argv.slice(2);
const { device, description } = await openDevice();
const unexpected: string[] = [];
device.addEventListener("uncapturederror", ({ error }) => unexpected.push(error.message));
const library = (await import(distribution)) as Library;
const weights = new Uint8Array(readFileSync(weightsFile));
const JOBS: Record<string, () => Promise<unknown>> = {
  picture: () => picture(library, device, weights),
  "picture by kernels for GPUs": () => picture(library, device, smallWeights(library), { software: false }),
  training: () => training(device),
  errors: () => errors(library, device, weights),
};
const run = JOBS[job ?? ""];
if (!run) throw new Error(`no job ${job}; there are ${Object.keys(JOBS).join(", ")}`);
const result = await run();
console.log(JSON.stringify({ adapter: description, result, unexpected }));
process.exit(0);
