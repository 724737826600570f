/** Every op's gradient against float64 finite differences, on its small cases. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Runtime } from "../src/graph/runtime.js";
import { hostInputs } from "../src/kernels/check.js";
import { suites } from "../src/kernels/index.js";
import { testDevice } from "./helpers/device.js";
import { checkGradient, differentiableInputs, gradientRows, RELATIVE } from "./helpers/gradient_check.js";

let runtime: Runtime;
beforeAll(async () => {
  const { device, description } = await testDevice();
  runtime = new Runtime(device, { software: description.isSoftware });
});
afterAll(() => runtime.dispose());

const differentiable = suites
  .map((suite) => [suite.op.name, suite, gradientRows(suite)] as const)
  .filter(([, , rows]) => rows.length > 0);

describe.each(differentiable)("%s", (_, suite, rows) => {
  test.each(rows.map((row) => [row.name, row] as const))("%s", async (_name, row) => {
    const inputs = differentiableInputs(suite, row);
    for (const { input, relative } of await checkGradient(runtime, suite, row, hostInputs(row, 5), inputs)) {
      expect(relative, `gradient of input ${input}`).toBeLessThanOrEqual(RELATIVE);
    }
  });
});
