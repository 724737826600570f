/**
 * Runs in Deno: every variant of every op against its float64 oracle, the small rows of the case tables, in f32 and, where the
 * device has it, f16. The convolutions' kernels for GPUs compile for minutes here, one after the other, so they and the f16 forms
 * wait for S2AM_LONG; what this adapter selects is always run, and deno.test.ts compares a whole picture by the kernels for GPUs.
 * Arguments: names of ops; without any all.
 */
import { openDevice } from "../../src/gpu/device.js";
import { Runtime } from "../../src/graph/runtime.js";
import { checkCase, runnableVariants } from "../../src/kernels/check.js";
import { suites } from "../../src/kernels/index.js";
import { f16Rows } from "../../src/kernels/suite.js";

const wanted = process.argv.slice(2);
const LONG = process.env.S2AM_LONG !== undefined;
/** Of the convolutions, on CPUs without subgroups. */
const SELECTED_HERE: ReadonlySet<string> = new Set(["patch", "direct"]);
const { device, description } = await openDevice();
const faults: string[] = [];
device.addEventListener("uncapturederror", (event) => faults.push(`uncaptured: ${event.error.message}`));
const runtime = new Runtime(device);
let checks = 0;
for (const suite of suites) {
  if (wanted.length > 0 && !wanted.includes(suite.op.name)) continue;
  const small = suite.cases.filter(({ timed }) => !timed);
  const f16 = device.features.has("shader-f16") && (LONG || !suite.op.name.startsWith("conv"));
  const rows = f16 ? small.flatMap((row) => [row, ...f16Rows(suite, row)]) : small;
  const started = performance.now();
  let ran = 0;
  for (const row of rows) {
    const runnable = runnableVariants(suite, row, runtime);
    const quick = suite.op.name.startsWith("conv") ? runnable.filter((name) => SELECTED_HERE.has(name)) : runnable;
    for (const variant of LONG ? runnable : quick) {
      const name = `${suite.op.name}_${variant} ${row.name}`;
      ran++;
      try {
        const { worst, detail } = await checkCase(runtime, suite, row, variant);
        if (!(worst <= 1)) faults.push(`${name}: ${detail}`);
      } catch (error) {
        faults.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  if (ran === 0) faults.push(`${suite.op.name}: nothing ran`);
  checks += ran;
  console.error(`${suite.op.name}: ${ran} checks, ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
runtime.dispose();
console.log(JSON.stringify({ adapter: description.name, checks, faults }));
process.exit(faults.length > 0 ? 1 : 0);
