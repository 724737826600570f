/** Every kernel's small cases in Deno, against their float64 oracles. */
import { beforeAll, expect, test } from "vitest";
import { suites } from "../../src/kernels/index.js";
import { bundle, denoAdapters, runDeno } from "./adapters.js";

let kernels: string;
beforeAll(async () => {
  kernels = await bundle("kernels.ts");
});

// On lavapipe where there is one: SwiftShader compiles a kernel with barriers for many seconds.
const adapter = denoAdapters().at(-1);

test.each(suites.map(({ op }) => op.name))("%s", async (op) => {
  if (!adapter) throw new Error("there is no adapter");
  const { code, stdout } = await runDeno(["run", "-A", kernels, op], adapter);
  const { checks, faults } = JSON.parse(stdout);
  expect(faults).toEqual([]);
  expect(checks).toBeGreaterThan(0);
  expect(code).toBe(0);
});
