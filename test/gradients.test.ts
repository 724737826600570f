/** Every op's gradient against float64 finite differences, on its small cases. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Runtime } from "../src/graph/runtime.js";
import { sizeOf } from "../src/graph/tensor.js";
import { hostInputs } from "../src/kernels/check.js";
import { suites } from "../src/kernels/index.js";
import { testDevice } from "./helpers/device.js";
import { checkGradient } from "./helpers/gradient_check.js";

/** Finite differences cost two oracles an element: rows up to this many elements times outputs are checked. */
const MAX_WORK = 4e5;
const RELATIVE = 1e-4;

let runtime: Runtime;
beforeAll(async () => {
  const { device, description } = await testDevice();
  runtime = new Runtime(device, { software: description.isSoftware });
});
afterAll(() => runtime.dispose());

const differentiable = suites.filter(({ op, gradient }) => op.vjp && gradient?.inputs?.length !== 0);

describe.each(differentiable.map((suite) => [suite.op.name, suite] as const))("%s", (_, suite) => {
  const rows = suite.cases.filter((row) => {
    const inputs = row.shapes.reduce((sum, shape) => sum + (shape ? sizeOf(shape) : 0), 0);
    const specs = suite.op.infer(
      row.shapes.map((shape) => shape && { shape, dtype: "f32" }),
      row.attrs,
    );
    const outputs = specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    if (row.timed || suite.gradient?.smooth?.(row) === false) return false;
    return inputs * outputs * (suite.gradient?.terms ?? 1) <= MAX_WORK;
  });

  test.each(rows.map((row) => [row.name, row] as const))("%s", async (_name, row) => {
    const values = hostInputs(row, 5);
    const wanted = suite.gradient?.inputs ?? row.shapes.flatMap((shape, i) => (shape ? [i] : []));
    for (const { input, relative } of await checkGradient(
      runtime,
      suite,
      row,
      values,
      wanted.filter((i) => row.shapes[i]),
    )) {
      expect(relative, `gradient of input ${input}`).toBeLessThanOrEqual(RELATIVE);
    }
  });
});
