/** Every variant of every op against its float64 oracle: the case tables, then random shapes. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Runtime } from "../src/graph/runtime.js";
import { checkCase, runnableVariants } from "../src/kernels/check.js";
import { suites } from "../src/kernels/index.js";
import { testDevice } from "./helpers/device.js";

const RANDOM_CASES = Number(process.env.S2AM_RANDOM_CASES ?? 20);

let runtime: Runtime;
beforeAll(async () => {
  const { device } = await testDevice();
  runtime = new Runtime(device);
});
afterAll(() => runtime.dispose());

describe.each(suites.map((suite) => [suite.op.name, suite] as const))("%s", (_, suite) => {
  const small = suite.cases.filter(({ timed }) => !timed);

  test.each(small.map((row) => [row.name, row] as const))("%s", async (_name, row) => {
    const variants = runnableVariants(suite, row, runtime);
    expect(variants.length).toBeGreaterThan(0);
    for (const variant of variants) {
      const { worst, detail } = await checkCase(runtime, suite, row, variant);
      expect(worst, `${suite.op.name}_${variant} ${row.name}: ${detail}`).toBeLessThanOrEqual(1);
    }
  });

  test("random shapes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.gen(), fc.integer({ min: 1, max: 1e6 }), async (gen, seed) => {
        const row = suite.random((min, max) => gen(fc.integer, { min, max }));
        for (const variant of runnableVariants(suite, row, runtime)) {
          const { worst, detail } = await checkCase(runtime, suite, row, variant, { seed });
          expect(worst, `${suite.op.name}_${variant} ${row.name}: ${detail}`).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: RANDOM_CASES, seed: 20, endOnFailure: true },
    );
  });
});
