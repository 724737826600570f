/**
 * Every variant that takes f16 against its float64 oracle: the case tables, then random shapes. The forms take turns, for
 * every one is another pipeline; S2AM_LONG checks every row in every form.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Runtime } from "../src/graph/runtime.js";
import { checkCase, runnableVariants } from "../src/kernels/check.js";
import { suites } from "../src/kernels/index.js";
import { f16Rows } from "../src/kernels/suite.js";
import { f16Device, NO_F16 } from "./helpers/f16_device.js";

const EVERY_FORM = Boolean(process.env.S2AM_LONG);
const RANDOM_CASES = Number(process.env.S2AM_RANDOM_CASES ?? (EVERY_FORM ? 20 : 3));

let runtime: Runtime | undefined;
beforeAll(async () => {
  const device = await f16Device();
  if (device) runtime = new Runtime(device);
});
afterAll(() => runtime?.dispose());

const halves = suites.filter(({ f16 }) => f16);

describe.each(halves.map((suite) => [suite.op.name, suite] as const))("%s", (_, suite) => {
  const small = suite.cases
    .filter(({ timed }) => !timed)
    .flatMap((row, i) => {
      const forms = f16Rows(suite, row);
      return EVERY_FORM ? forms : forms.filter((_form, f) => f === i % forms.length);
    });

  test.each(small.map((row) => [row.name, row] as const))("%s", async (_name, row) => {
    if (!runtime) return void console.warn(`skipped: ${NO_F16}`);
    const variants = runnableVariants(suite, row, runtime);
    expect(variants.length).toBeGreaterThan(0);
    for (const variant of variants) {
      const { worst, detail } = await checkCase(runtime, suite, row, variant);
      expect(worst, `${suite.op.name}_${variant} ${row.name}: ${detail}`).toBeLessThanOrEqual(1);
    }
  });

  test("random shapes", async () => {
    const { f16 = [] } = suite;
    await fc.assert(
      fc.asyncProperty(fc.gen(), fc.integer({ min: 1, max: 1e6 }), async (gen, seed) => {
        if (!runtime) return;
        const draw = (min: number, max: number): number => gen(fc.integer, { min, max });
        const row = f16Rows(suite, suite.random(draw))[draw(0, f16.length - 1)];
        if (!row) return;
        for (const variant of runnableVariants(suite, row, runtime)) {
          const { worst, detail } = await checkCase(runtime, suite, row, variant, { seed });
          expect(worst, `${suite.op.name}_${variant} ${row.name}: ${detail}`).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: RANDOM_CASES, seed: 21, endOnFailure: true },
    );
  });
});
